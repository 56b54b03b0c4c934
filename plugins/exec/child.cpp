#include "exec/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::exec {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

// Pointers to texts that live longer, with the NULL at the end that execve() wants.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts)
    all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// The file actions and attributes of posix_spawn, as one value that frees itself.
class SpawnPlan {
 public:
  SpawnPlan(const Streams& streams, const std::string& directory) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
    if (streams.in < 0)
      ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    else
      ::posix_spawn_file_actions_adddup2(&actions_, streams.in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, streams.out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, streams.err, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] pid_t run(const Program& program, const std::vector<std::string>& environment) const {
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.file.c_str(), &actions_, &attributes_,
                                    pointers(program.arguments).data(), pointers(environment).data());
    if (error == ENOEXEC)
      fail(error, program.file + " cannot be run (a script needs a first line such as #!/bin/sh)");
    if (error == ENOENT && ::access(program.directory.c_str(), X_OK) != 0)
      fail(error, "no directory " + program.directory + " to run " + program.file + " in");
    if (error != 0) fail(error, program.file + " cannot be run");
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

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
  const int number = WTERMSIG(status);
  const char* name = ::sigabbrev_np(number);
  return "was ended by SIG" + (name != nullptr ? std::string(name) : std::to_string(number));
}

int End::exit_status() const noexcept {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Child::Child(const Program& program, const std::vector<std::string>& environment, const Streams& streams)
    : pid_(SpawnPlan(streams, program.directory).run(program, environment)),
      pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))) {
  if (pidfd_) return;
  const int error = errno;
  reap();
  fail(error, "cannot watch a process (Linux 5.3 can)");
}

Child::~Child() {
  if (!reaped_) reap();
}

bool Child::ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

// Never after it was reaped: the number could be another's then.
void Child::kill() noexcept {
  if (reaped_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
}

End Child::reap() {
  kill();
  reaped_ = true;
  End end;
  while (::waitpid(pid_, &end.status, 0) < 0 && errno == EINTR) {
  }
  return end;
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
