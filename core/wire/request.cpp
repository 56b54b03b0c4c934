// Parsing of what arrives on the listening port.
#include "wire/request.hpp"

#include "wire/fields.hpp"

#include <algorithm>
#include <optional>

namespace tftpkit::wire {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::optional<Mode> mode_named(std::string_view name) noexcept {
  if (same_name(name, "octet")) return Mode::octet;
  if (same_name(name, "netascii")) return Mode::netascii;
  return std::nullopt;
}

Reject illegal(std::string text) {
  return {ErrorCode::illegal_operation, std::move(text)};
}

Reject refuse_mode(std::string_view name) {
  constexpr std::size_t shown = 32;  // enough for any word a person would recognise
  const auto is_letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  if (same_name(name, "mail"))
    return illegal("mode \"mail\" is not supported (RFC 1350 made it obsolete); use octet");
  if (!std::ranges::all_of(name, is_letter)) return illegal("the mode is no word; use octet or netascii");
  return illegal("unknown mode \"" + std::string(name.substr(0, shown)) + "\"; use octet or netascii");
}

std::variant<Request, Reject, NotARequest> parse_body(Operation op, Fields fields) {
  const auto filename = fields.next();
  if (!filename) return illegal("the request ends before the file name");
  if (filename->empty()) return Reject{ErrorCode::file_not_found, "the file name is empty"};
  const auto mode_name = fields.next();
  if (!mode_name || mode_name->empty())
    return illegal("the request names no mode after the file name; use octet or netascii");
  const auto mode = mode_named(*mode_name);
  if (!mode) return refuse_mode(*mode_name);
  return Request{op, std::string(*filename), *mode, read_options(fields)};
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view words(Mode mode) noexcept {
  return mode == Mode::octet ? "octet" : "netascii";
}

std::variant<Request, Reject, NotARequest> parse_request(std::span<const std::byte> datagram) {
  if (datagram.size() < 2) return NotARequest{};
  const auto body = Fields(datagram.subspan(2));
  switch (read_u16(datagram)) {
  case opcode_rrq: return parse_body(Operation::read, body);
  case opcode_wrq: return parse_body(Operation::write, body);
  default: return NotARequest{};
  }
}

}  // namespace tftpkit::wire
