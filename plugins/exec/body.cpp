#include "exec/body.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::exec {
namespace {

kit::UniqueFd file_without_name(const std::string& spool) {
  const int fd = spool.empty() ? ::memfd_create("tftpkit-exec", MFD_CLOEXEC)
                               : ::open(spool.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(),
                            "no file for the answer" + (spool.empty() ? "" : " in " + spool));
  return kit::UniqueFd(fd);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::system_error(errno, std::generic_category(), "cannot keep the answer");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void Body::add(std::string_view bytes) {
  if (!file_ && memory_.size() + bytes.size() <= most_in_memory) {
    memory_ += bytes;
  } else {
    if (!file_) {
      file_ = file_without_name(*spool_);
      write_all(file_.get(), std::exchange(memory_, std::string()));
    }
    write_all(file_.get(), bytes);
  }
  size_ += bytes.size();
}

Answer Body::take() {
  const std::uint64_t size = std::exchange(size_, 0);
  if (file_) return file(file_.release(), size);
  return text(std::exchange(memory_, std::string()));
}

}  // namespace tftpkit::exec
