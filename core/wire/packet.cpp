// Encoding and decoding of the packets of a transfer.
#include "wire/packet.hpp"

#include "wire/fields.hpp"

#include <algorithm>

namespace tftpkit::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::byte high(std::uint16_t value) noexcept {
  return static_cast<std::byte>(value >> 8U);
}

constexpr std::byte low(std::uint16_t value) noexcept {
  return static_cast<std::byte>(value & 0xffU);
}

constexpr std::array<std::byte, header_size> two_words(std::uint16_t first, std::uint16_t second) noexcept {
  return {high(first), low(first), high(second), low(second)};
}

void put(Bytes& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.push_back(std::byte{0});
}

void put(Bytes& out, std::span<const Option> options) {
  for (const auto& option : options) {
    put(out, option.name);
    put(out, option.value);
  }
}

bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

std::string presentable(std::string_view text) {
  auto length = std::min(text.size(), max_error_text);
  while (length > 0 && length < text.size() && is_continuation(text[length]))
    --length;
  std::string shown(text.substr(0, length));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  // U+0080 to U+009F are controls too.
  for (std::size_t at = 0; at + 1 < shown.size(); ++at)
    if (shown[at] == '\xc2' && static_cast<unsigned char>(shown[at + 1]) < 0xa0)
      shown[at] = shown[at + 1] = '?';
  return shown;
}

}  // namespace

std::array<std::byte, header_size> encode_data_header(std::uint16_t wire_block) noexcept {
  return two_words(opcode_data, wire_block);
}

std::array<std::byte, header_size> encode_ack(std::uint16_t wire_block) noexcept {
  return two_words(opcode_ack, wire_block);
}

Bytes encode_error(const Reject& reject) {
  const auto head = two_words(opcode_error, static_cast<std::uint16_t>(reject.code));
  Bytes out(head.begin(), head.end());
  put(out, reject.text.empty() ? std::string(words(reject.code)) : presentable(reject.text));
  return out;
}

Bytes encode_oack(std::span<const Option> options) {
  Bytes out{high(opcode_oack), low(opcode_oack)};
  put(out, options);
  return out;
}

Bytes encode_request(const Request& request) {
  const std::uint16_t opcode = request.op == Operation::read ? opcode_rrq : opcode_wrq;
  Bytes out{high(opcode), low(opcode)};
  put(out, request.filename);
  put(out, words(request.mode));
  put(out, request.options);
  return out;
}

std::variant<Ack, Data, Error, Oack, NotAPacket> parse_packet(std::span<const std::byte> datagram) {
  if (datagram.size() < 2) return NotAPacket{};
  const auto opcode = read_u16(datagram);
  if (opcode == opcode_oack) {
    Fields fields(datagram.subspan(2));
    return Oack{read_options(fields)};
  }
  if (datagram.size() < header_size) return NotAPacket{};
  const auto number = read_u16(datagram.subspan(2));
  const auto body = datagram.subspan(header_size);
  switch (opcode) {
  case opcode_ack: return Ack{number};
  case opcode_data: return Data{number, body};
  case opcode_error: return Error{static_cast<ErrorCode>(number), Fields(body).next().value_or("")};
  default: return NotAPacket{};
  }
}

}  // namespace tftpkit::wire
