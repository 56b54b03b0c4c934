#include "observe/sink.hpp"

#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::observe {
namespace {

// O_NONBLOCK: a FIFO without a reader must be an error (ENXIO), not a server that never starts.
int open_log(const char* file) noexcept {
  return ::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

// A description of our own, so that O_NONBLOCK does not reach whoever shares stderr with us. Sockets (the
// journal) and pipes of another user cannot be opened again: then the shared one has to do.
int open_stderr() noexcept {
  const int own = ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return own >= 0 ? own : STDERR_FILENO;
}

bool is_socket(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

// As many whole lines as a pipe that polls writable takes at once (PIPE_BUF, pipe(7)), or a piece of a long
// one.
std::string_view next_piece(std::string_view lines) noexcept {
  if (lines.size() <= PIPE_BUF) return lines;
  const std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  return lines.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

}  // namespace

Sink::Sink(std::string file) : file_(std::move(file)) {
  fd_ = file_.empty() ? open_stderr() : open_log(file_.c_str());
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot open the log file " + file_);
  is_socket_ = is_socket(fd_);
  interrupt_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (interrupt_fd_ < 0) {
    const int error = errno;
    if (fd_ != STDERR_FILENO) ::close(fd_);
    throw std::system_error(error, std::generic_category(), "cannot make an eventfd for the log");
  }
}

Sink::~Sink() {
  ::close(interrupt_fd_);
  if (fd_ != STDERR_FILENO) ::close(fd_);
}

bool Sink::is_terminal() const noexcept {
  return ::isatty(fd_) == 1;
}

std::size_t Sink::write(std::string_view lines) noexcept {
  while (!lines.empty()) {
    if (const int error = wait_writable(); error != 0) return lose(lines, error);
    const std::string_view piece = torn_ ? std::string_view("\n") : next_piece(lines);
    const ssize_t written = is_socket_ ? ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                       : ::write(fd_, piece.data(), piece.size());
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return lose(lines, written < 0 ? errno : EIO);
    mid_line_ = piece[static_cast<std::size_t>(written) - 1] != '\n';
    if (!std::exchange(torn_, false)) lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int Sink::wait_writable() const noexcept {
  pollfd fds[2] = {{fd_, POLLOUT, 0}, {interrupt_fd_, POLLIN, 0}};
  while (::poll(fds, 2, -1) < 0) {
    if (errno != EINTR) return errno;
  }
  return fds[1].revents != 0 ? ETIMEDOUT : 0;
}

std::size_t Sink::lose(std::string_view lines, int error) noexcept {
  last_error_ = error;
  torn_ = mid_line_;
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
}

void Sink::interrupt() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(interrupt_fd_, &one, sizeof one);
}

int Sink::reopen() noexcept {
  if (file_.empty()) return 0;
  const int fresh = open_log(file_.c_str());
  if (fresh < 0) return errno;
  ::close(std::exchange(fd_, fresh));
  is_socket_ = is_socket(fd_);
  torn_ = mid_line_ = false;
  return 0;
}

}  // namespace tftpkit::observe
