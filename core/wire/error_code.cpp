// Words for the error codes.
#include "wire/error_code.hpp"

namespace tftpkit::wire {

std::string_view words(ErrorCode code) noexcept {
  switch (code) {
  case ErrorCode::not_defined: return "not defined";
  case ErrorCode::file_not_found: return "file not found";
  case ErrorCode::access_violation: return "access violation";
  case ErrorCode::disk_full: return "disk full";
  case ErrorCode::illegal_operation: return "illegal operation";
  case ErrorCode::unknown_tid: return "unknown transfer id";
  case ErrorCode::file_exists: return "file exists";
  case ErrorCode::no_such_user: return "no such user";
  case ErrorCode::option_refused: return "option refused";
  }
  return "unknown code";
}

}  // namespace tftpkit::wire
