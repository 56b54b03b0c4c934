#include "exec/child.hpp"

#include "process/child.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::exec {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

pid_t spawned(const Program& program, const std::vector<std::string>& environment, const Streams& streams) {
  process::SpawnPlan plan;
  plan.change_directory(program.directory);
  if (streams.in < 0)
    plan.open_null(STDIN_FILENO, O_RDONLY);
  else
    plan.duplicate(streams.in, STDIN_FILENO);
  plan.duplicate(streams.out, STDOUT_FILENO);
  plan.duplicate(streams.err, STDERR_FILENO);
  plan.close_from(STDERR_FILENO + 1);
  try {
    return plan.run(program.file, program.arguments, environment);
  } catch (const std::system_error& problem) {
    const int error = problem.code().value();
    if (error == ENOEXEC)
      fail(error, program.file + " cannot be run (a script needs a first line such as #!/bin/sh)");
    if (error == ENOENT && ::access(program.directory.c_str(), X_OK) != 0)
      fail(error, "no directory " + program.directory + " to run " + program.file + " in");
    fail(error, program.file + " cannot be run");
  }
}

// dup2() onto itself would leave close-on-exec set, and stdout could overwrite what stderr is to be.
kit::UniqueFd above_standard(int fd) {
  kit::UniqueFd given(fd);
  if (fd > STDERR_FILENO) return given;
  kit::UniqueFd moved(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) fail(errno, "no descriptor");
  return moved;
}

Pair made(kit::UniqueFd ours, kit::UniqueFd theirs) {
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  return {std::move(ours), above_standard(theirs.release())};
}

}  // namespace

std::string End::text() const {
  if (!WIFSIGNALED(status)) return "ended with exit status " + std::to_string(WEXITSTATUS(status));
  return "was ended by " + process::signal_name(WTERMSIG(status));
}

int End::exit_status() const noexcept {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Child::Child(const Program& program, const std::vector<std::string>& environment, const Streams& streams)
    : pid_(spawned(program, environment, streams)), pidfd_(process::descriptor_of(pid_)) {
  if (pidfd_) return;
  const int error = errno;
  reap();
  fail(error, "cannot watch a process (Linux 5.3 can)");
}

Child::~Child() {
  if (!reaped_) reap();
}

bool Child::ended() const {
  return process::has_ended(pid_);
}

void Child::kill() noexcept {
  if (!reaped_) process::kill_group(pid_);
}

End Child::reap() {
  reaped_ = true;
  return {process::end_group(pid_)};
}

Pair pipe_from_child() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "no pipe");
  return made(kit::UniqueFd(ends[0]), kit::UniqueFd(ends[1]));
}

Pair pipe_to_child() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "no pipe");
  return made(kit::UniqueFd(ends[1]), kit::UniqueFd(ends[0]));
}

Pair socket_from_child() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail(errno, "no socket");
  return made(kit::UniqueFd(ends[0]), kit::UniqueFd(ends[1]));
}

}  // namespace tftpkit::exec
