// The error codes of TFTP and the one value that stands for "no, because".
// Knows nothing about who refuses or how the text reaches the peer (packet.hpp encodes it).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tftpkit::wire {

// RFC 1350 appendix, RFC 2347 for 8. The numbers are the ones on the wire.
enum class ErrorCode : std::uint16_t {
  not_defined = 0,
  file_not_found = 1,
  access_violation = 2,
  disk_full = 3,
  illegal_operation = 4,
  unknown_tid = 5,
  file_exists = 6,
  no_such_user = 7,
  option_refused = 8,
};

// Words for a log line or an ERROR without a text of its own; "unknown code" for numbers beyond the table.
std::string_view words(ErrorCode code) noexcept;

// A refusal: becomes one ERROR packet and one log line.
struct Reject {
  ErrorCode code = ErrorCode::not_defined;
  std::string text;

  bool operator==(const Reject&) const = default;
};

}  // namespace tftpkit::wire
