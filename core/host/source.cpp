#include "host/source.hpp"

#include "observe/escape.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace tftpkit::host {

namespace {

constexpr std::size_t longest_path = 4096;
constexpr std::uint32_t smallest_source = offsetof(tftpkit_source, flags) + sizeof(tftpkit_source::flags);
constexpr std::uint32_t largest_source = 64 * 1024;

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string buffer_fault(const tftpkit_source& source) {
  if (source.size == TFTPKIT_SIZE_UNKNOWN) return "a BUFFER of unknown size";
  if (source.size > static_cast<std::uint64_t>(PTRDIFF_MAX))
    return "a BUFFER of " + number(source.size) + " bytes, more than memory can hold";
  if (source.data == nullptr && source.size != 0)
    return "a BUFFER of " + number(source.size) + " bytes with NULL data";
  return {};
}

std::string regular_fault(const tftpkit_source& source, std::uint64_t file_size) {
  if (source.fd_offset > file_size)
    return "a FD whose fd_offset " + number(source.fd_offset) + " lies beyond the end of its file of " +
           number(file_size) + " bytes";
  if (source.size != TFTPKIT_SIZE_UNKNOWN && source.size > file_size - source.fd_offset)
    return "a FD of " + number(source.size) + " bytes from offset " + number(source.fd_offset) +
           ", but its file has only " + number(file_size);
  return {};
}

// Nothing is made for a right one: without memory for a text its descriptor would be nobody's.
std::string fd_fault(const tftpkit_source& source, struct stat& seen) {
  const auto fault = [&](const std::string& what) {
    return "a FD with descriptor " + std::to_string(source.fd) + what;
  };
  if (source.fd < 0) return fault("");
  if (source.fd <= STDERR_FILENO) return fault(", which is a standard descriptor of the process");
  const int flags = ::fcntl(source.fd, F_GETFL);
  if (flags < 0 || ::fstat(source.fd, &seen) != 0) return fault(std::string{": "} + std::strerror(errno));
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY)
    return fault(", which is not open for reading");
  if (S_ISDIR(seen.st_mode)) return fault(", which is a directory");
  if (S_ISREG(seen.st_mode)) return regular_fault(source, static_cast<std::uint64_t>(seen.st_size));
  if (source.fd_offset != 0)
    return fault(" and fd_offset " + number(source.fd_offset) + ", but it is no regular file");
  return {};
}

std::string redirect_fault(const tftpkit_source& source) {
  if (source.redirect.ptr == nullptr || source.redirect.len == 0) return "a REDIRECT to an empty path";
  if (source.redirect.len > longest_path)
    return "a REDIRECT to a path of " + number(source.redirect.len) + " bytes; 4096 are the limit";
  const std::string_view path(source.redirect.ptr, source.redirect.len);
  if (!clean_path(path))
    return "a REDIRECT to \"" + observe::escaped(path, 200) + "\", which is not a clean path";
  return {};
}

// Only for descriptors that fd_fault() found right.
void take_fd(const tftpkit_source& source, const struct stat& seen, Source& into) {
  into.fd.reset(source.fd);
  into.fd_offset = source.fd_offset;
  ::fcntl(source.fd, F_SETFD, FD_CLOEXEC);
  if (!S_ISREG(seen.st_mode)) return;
  into.regular = true;
  into.file = seen;
  // Files of /proc say 0 and have content: those are read to their end.
  if (!into.size && seen.st_size > 0) into.size = static_cast<std::uint64_t>(seen.st_size) - source.fd_offset;
}

}  // namespace

bool known_answer(tftpkit_status status) noexcept {
  switch (status) {
  case TFTPKIT_OK:
  case TFTPKIT_DECLINED: return true;
  default: return known_failure(status);
  }
}

bool known_failure(std::int64_t status) noexcept {
  switch (status) {
  case TFTPKIT_E_INTERNAL:
  case TFTPKIT_E_NOT_FOUND:
  case TFTPKIT_E_ACCESS:
  case TFTPKIT_E_NO_SPACE:
  case TFTPKIT_E_UNSUPPORTED:
  case TFTPKIT_E_EXISTS:
  case TFTPKIT_E_OPTION:
  case TFTPKIT_E_IO:
  case TFTPKIT_E_UNAVAILABLE:
  case TFTPKIT_E_TIMEOUT:
  case TFTPKIT_E_CANCELLED: return true;
  default: return false;
  }
}

std::string_view text(tftpkit_status status) noexcept {
  switch (status) {
  case TFTPKIT_OK: return "ok";
  case TFTPKIT_PENDING: return "pending";
  case TFTPKIT_DECLINED: return "declined";
  case TFTPKIT_E_INTERNAL: return "internal error";
  case TFTPKIT_E_NOT_FOUND: return "file not found";
  case TFTPKIT_E_ACCESS: return "access denied";
  case TFTPKIT_E_NO_SPACE: return "no space left";
  case TFTPKIT_E_UNSUPPORTED: return "operation not offered";
  case TFTPKIT_E_EXISTS: return "file exists already";
  case TFTPKIT_E_OPTION: return "option not acceptable";
  case TFTPKIT_E_IO: return "reading or writing failed";
  case TFTPKIT_E_UNAVAILABLE: return "backend unavailable";
  case TFTPKIT_E_TIMEOUT: return "backend too slow";
  case TFTPKIT_E_CANCELLED: return "cancelled";
  case TFTPKIT_E_STALE: return "nobody waits for this request";
  case TFTPKIT_E_INVALID: return "bad argument or wrong moment";
  default: return "unknown status";
  }
}

std::string_view words(Kind kind) noexcept {
  switch (kind) {
  case Kind::buffer: return "BUFFER";
  case Kind::fd: return "FD";
  case Kind::stream: return "STREAM";
  case Kind::redirect: return "REDIRECT";
  }
  return "?";
}

bool clean_path(std::string_view path) noexcept {
  if (path.empty() || path.size() > longest_path) return false;
  std::size_t part = 0;  // where the part under the eye begins
  for (std::size_t at = 0; at <= path.size();) {
    if (at == path.size() || path[at] == '/') {
      const std::string_view name = path.substr(part, at - part);
      if (name.empty() || name == "." || name == "..") return false;
      part = ++at;
      continue;
    }
    const std::size_t length = observe::utf8_length(path.substr(at));
    const auto first = static_cast<unsigned char>(path[at]);
    const bool c1 = length == 2 && first == 0xc2 && static_cast<unsigned char>(path[at + 1]) < 0xa0;
    if (length == 0 || first < 0x20 || first == 0x7f || c1) return false;
    at += length;
  }
  return true;
}

std::string fault(const tftpkit_source& source, bool can_read) {
  struct stat seen {};
  return fault(source, can_read, seen);
}

std::string fault(const tftpkit_source& source, bool can_read, struct stat& seen) {
  if (source.struct_size < smallest_source || source.struct_size > largest_source)
    return "a source whose struct_size is " + number(source.struct_size) + "; ABI 1.0 has " +
           number(smallest_source);
  if (source.flags != 0) return "a source with unknown flags " + number(source.flags);
  switch (source.kind) {
  case TFTPKIT_SOURCE_BUFFER: return buffer_fault(source);
  case TFTPKIT_SOURCE_FD: return fd_fault(source, seen);
  case TFTPKIT_SOURCE_STREAM: return can_read ? "" : "a STREAM, but the plugin has no read()";
  case TFTPKIT_SOURCE_REDIRECT: return redirect_fault(source);
  default: return "a source of unknown kind " + number(source.kind);
  }
}

Source taken(const tftpkit_source& source, const struct stat& seen) {
  Source result;
  result.transfer = source.transfer;
  if (source.size != TFTPKIT_SIZE_UNKNOWN) result.size = source.size;
  switch (source.kind) {
  case TFTPKIT_SOURCE_BUFFER:
    result.kind = Kind::buffer;
    result.data = {static_cast<const std::byte*>(source.data), static_cast<std::size_t>(source.size)};
    break;
  case TFTPKIT_SOURCE_FD:
    result.kind = Kind::fd;
    take_fd(source, seen, result);
    break;
  case TFTPKIT_SOURCE_REDIRECT:
    result.kind = Kind::redirect;
    result.redirect.assign(source.redirect.ptr, source.redirect.len);
    break;
  default: result.kind = Kind::stream;
  }
  return result;
}

void drop_descriptor(const tftpkit_source& source) noexcept {
  if (source.kind == TFTPKIT_SOURCE_FD && source.fd > STDERR_FILENO && ::fcntl(source.fd, F_GETFD) >= 0)
    ::close(source.fd);
}

tftpkit_source blank_source() noexcept {
  tftpkit_source source{};
  source.struct_size = static_cast<std::uint32_t>(sizeof source);
  source.kind = TFTPKIT_SOURCE_STREAM;
  source.size = TFTPKIT_SIZE_UNKNOWN;
  source.fd = -1;
  return source;
}

}  // namespace tftpkit::host
