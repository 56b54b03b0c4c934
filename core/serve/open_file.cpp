#include "serve/open_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/uio.h>

namespace tftpkit::serve {

namespace {

Space without_first(Space space, std::size_t bytes) {
  for (auto& part : space.parts) {
    const std::size_t cut = std::min(bytes, part.size());
    part = part.subspan(cut);
    bytes -= cut;
  }
  return space;
}

}  // namespace

ssize_t OpenFile::read(const Space& into, std::uint64_t position, Effort effort) const noexcept {
  const IoVectors vectors = io_vectors(into);
  const int flags = effort == Effort::cached_only ? RWF_NOWAIT : 0;
  ssize_t got = 0;
  do
    got = ::preadv2(fd_.get(), vectors.parts.data(), vectors.count, static_cast<off_t>(position), flags);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

ssize_t OpenFile::read_all(Space into, std::uint64_t position) const noexcept {
  ssize_t all = 0;
  while (into.size() > 0) {
    const ssize_t got = read(into, position, Effort::whatever_it_takes);
    if (got < 0) return got;
    if (got == 0) break;
    all += got;
    position += static_cast<std::uint64_t>(got);
    into = without_first(into, static_cast<std::size_t>(got));
  }
  return all;
}

void OpenFile::read_ahead(std::uint64_t position, std::size_t bytes) const noexcept {
  ::posix_fadvise(fd_.get(), static_cast<off_t>(position), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

std::optional<std::string> OpenFile::fault() const {
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0)
    return "whether the file is still the same cannot be told: " + std::string{std::strerror(errno)};
  if (now.st_size != at_open_.st_size || now.st_mtim.tv_sec != at_open_.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != at_open_.st_mtim.tv_nsec)
    return "the file was changed while it was being sent";
  return std::nullopt;
}

std::string read_failure(ssize_t got) {
  if (got >= 0) return "the file became shorter while it was being sent";
  return "reading the file failed: " + std::string{std::strerror(static_cast<int>(-got))};
}

}  // namespace tftpkit::serve
