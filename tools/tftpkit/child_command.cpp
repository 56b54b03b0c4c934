#include "child_command.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::cli {

namespace {

std::string read_all(int fd) {
  std::string text;
  std::array<char, 256> piece{};
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return text;
  }
}

[[noreturn]] void wait_and_run(int address_fd, const std::string& command) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const std::string address = read_all(address_fd);
  if (address.empty()) ::_exit(127);  // the server did not come up
  ::close(address_fd);
  ::setenv("TFTP_ADDR", address.c_str(), 1);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

int as_exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

ChildCommand::ChildCommand(const std::string& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    ::close(ends[1]);
    wait_and_run(ends[0], command);
  }
  ::close(ends[0]);
  address_pipe_ = ends[1];
}

void ChildCommand::start(const std::string& address) {
  // A pipe takes so few bytes whole; if the child has gone, ended() tells.
  (void)!::write(address_pipe_, address.data(), address.size());
  ::close(address_pipe_);
  address_pipe_ = -1;
}

std::optional<int> ChildCommand::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = as_exit_status(status);
  return status_;
}

ChildCommand::~ChildCommand() {
  if (address_pipe_ >= 0) ::close(address_pipe_);
  if (status_) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace tftpkit::cli
