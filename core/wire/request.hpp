// A datagram on the listening port becomes a Request, a Reject, or nothing that deserves an answer.
// Reads leniently, as old ROMs need it; judges neither the path (path.hpp) nor the options
// (transfer/negotiation.hpp).
#pragma once

#include "wire/error_code.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tftpkit::wire {

// As received: the name keeps its case, because GRUB and EDK2 compare the echo byte by byte. The value may be
// empty.
struct Option {
  std::string name;
  std::string value;

  bool operator==(const Option&) const = default;
};

enum class Operation { read, write };
enum class Mode { octet, netascii };

struct Request {
  Operation op = Operation::read;
  std::string filename;  // the bytes as sent, never empty, no NUL
  Mode mode = Mode::octet;
  std::vector<Option> options;  // in the order sent; names unique without regard to case (the first one wins)

  bool operator==(const Request&) const = default;
};

// ERROR, DATA, ACK, OACK, an unknown opcode, or less than two bytes: silence is the only answer,
// or the server could be used as a reflector and two servers could answer each other for ever.
struct NotARequest {
  bool operator==(const NotARequest&) const = default;
};

// More options than this in one request are not looked at.
inline constexpr std::size_t max_options = 32;

// A missing last NUL, padding and junk after the options, and a last option without value are forgiven.
std::variant<Request, Reject, NotARequest> parse_request(std::span<const std::byte> datagram);

// ASCII only, as option names and modes are (RFC 2347: case is not significant).
bool same_name(std::string_view a, std::string_view b) noexcept;

// "octet" or "netascii".
std::string_view words(Mode mode) noexcept;

}  // namespace tftpkit::wire
