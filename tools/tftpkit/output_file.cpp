#include "output_file.hpp"

#include "command.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::cli {

namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Failure(path + ": " + what + ": " + std::strerror(errno));
}

// What umask leaves of 0666; mkostemp makes 0600.
void usual_mode(int fd) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd, 0666 & ~mask);
}

bool regular_or_missing(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

}  // namespace

OutputFile::OutputFile(const std::string& path) {
  if (path.empty() || path == "-") return;
  path_ = path;
  if (regular_or_missing(path)) {
    temporary_ = path + ".XXXXXX";
    fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
    if (fd_ < 0) {
      temporary_.clear();
      fail(path, "cannot be written");
    }
    usual_mode(fd_);
  } else {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);  // /dev/null, a pipe
    if (fd_ < 0) fail(path, "cannot be written");
  }
}

OutputFile::~OutputFile() {
  if (is_file() && fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

// Bytes that are no text can leave a terminal in a strange state.
void OutputFile::check_terminal(std::span<const std::byte> bytes) {
  if (checked_ || is_file()) return;
  checked_ = true;
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 1024));
  if (std::ranges::find(head, std::byte{0}) != head.end() && ::isatty(fd_))
    throw Failure("this is no text and would disturb your terminal: write it to a file with -o FILE");
}

void OutputFile::write(std::span<const std::byte> bytes) {
  check_terminal(bytes);
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(is_file() ? path_ : "standard output", "writing failed");
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void OutputFile::finish() {
  if (!is_file()) return;
  if (::close(std::exchange(fd_, -1)) != 0) fail(path_, "writing failed");
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot be written");
  temporary_.clear();
}

}  // namespace tftpkit::cli
