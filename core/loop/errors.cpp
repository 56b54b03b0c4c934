#include "loop/errors.hpp"

#include <cerrno>
#include <system_error>

namespace tftpkit::loop {

SendStatus send_status(int error) noexcept {
  switch (error) {
  case 0: return SendStatus::ok;
  case EAGAIN: return SendStatus::would_block;
  case ENOBUFS:
  case ENOMEM: return SendStatus::no_buffers;
  case ECONNREFUSED: return SendStatus::refused;
  default: return SendStatus::failed;
  }
}

// EIO: no checksum offload on the way (before Linux 6.11) or IPsec; EINVAL: a kernel without UDP_SEGMENT
// or a path MTU that has shrunk below the segment; EMSGSIZE: the same on some versions.
bool gso_refused(int error) noexcept {
  return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

void throw_errno(int error, const std::string& what) {
  throw std::system_error{error, std::generic_category(), what};
}

// libuv's codes are negated errnos on Linux.
void check_uv(int code, const char* what) {
  if (code < 0) throw_errno(-code, what);
}

}  // namespace tftpkit::loop
