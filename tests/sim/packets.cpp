#include "packets.hpp"

#include <algorithm>
#include <strings.h>

namespace tftpkit::sim {

namespace {

void put(Bytes& into, std::uint16_t value) {
  into.push_back(static_cast<std::byte>(value >> 8U));
  into.push_back(static_cast<std::byte>(value & 0xffU));
}

void put(Bytes& into, std::string_view text) {
  for (const char c : text)
    into.push_back(static_cast<std::byte>(c));
  into.push_back(std::byte{0});
}

std::uint16_t at(std::span<const std::byte> packet, std::size_t offset) noexcept {
  if (packet.size() < offset + 2) return 0;
  return static_cast<std::uint16_t>(static_cast<unsigned>(packet[offset]) << 8U |
                                    static_cast<unsigned>(packet[offset + 1]));
}

// The string at the front, which goes with its NUL; nothing without a NUL.
std::optional<std::string> take_string(std::span<const std::byte>& from) {
  const auto end = std::find(from.begin(), from.end(), std::byte{0});
  if (end == from.end()) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - from.begin());
  std::string text(reinterpret_cast<const char*>(from.data()), length);
  from = from.subspan(length + 1);
  return text;
}

}  // namespace

std::uint16_t opcode(std::span<const std::byte> packet) noexcept {
  return at(packet, 0);
}

std::uint16_t number(std::span<const std::byte> packet) noexcept {
  return at(packet, 2);
}

Bytes make_request(Opcode op, std::string_view path, std::string_view mode, const Options& options) {
  Bytes bytes;
  put(bytes, op);
  put(bytes, path);
  put(bytes, mode);
  for (const auto& [name, value] : options) {
    put(bytes, name);
    put(bytes, value);
  }
  return bytes;
}

Bytes make_ack(std::uint16_t block) {
  Bytes bytes;
  put(bytes, Opcode::ack);
  put(bytes, block);
  return bytes;
}

Bytes make_error(std::uint16_t code, std::string_view text) {
  Bytes bytes;
  put(bytes, Opcode::error);
  put(bytes, code);
  put(bytes, text);
  return bytes;
}

std::optional<Options> read_oack(std::span<const std::byte> packet) {
  if (opcode(packet) != Opcode::oack) return std::nullopt;
  Options options;
  for (auto rest = packet.subspan(2); !rest.empty();) {
    auto name = take_string(rest);
    auto value = take_string(rest);
    if (!name || !value) return std::nullopt;
    options.emplace_back(std::move(*name), std::move(*value));
  }
  return options;
}

std::optional<std::string> read_error(std::span<const std::byte> packet) {
  if (opcode(packet) != Opcode::error || packet.size() < 5) return std::nullopt;
  auto rest = packet.subspan(4);
  auto text = take_string(rest);
  return rest.empty() ? text : std::nullopt;
}

const std::string* option(const Options& options, std::string_view name) noexcept {
  const auto found = std::find_if(options.begin(), options.end(), [name](const auto& each) {
    return each.first.size() == name.size() &&
           ::strncasecmp(each.first.data(), name.data(), name.size()) == 0;
  });
  return found == options.end() ? nullptr : &found->second;
}

std::string described(std::span<const std::byte> packet) {
  const std::string size = " (" + std::to_string(packet.size()) + " bytes)";
  const std::string value = std::to_string(number(packet));
  switch (opcode(packet)) {
  case Opcode::rrq: return "RRQ " + std::string(reinterpret_cast<const char*>(packet.data() + 2)) + size;
  case Opcode::wrq: return "WRQ" + size;
  case Opcode::data: return "DATA " + value + size;
  case Opcode::ack: return "ACK " + value + size;
  case Opcode::error:
    return "ERROR " + value + " " + read_error(packet).value_or("(not ended by a NUL)") + size;
  case Opcode::oack: break;
  default: return "opcode " + std::to_string(opcode(packet)) + size;
  }
  std::string text = "OACK";
  for (const auto& [name, given] : read_oack(packet).value_or(Options{}))
    text += " " + name + "=" + given;
  return text + size;
}

}  // namespace tftpkit::sim
