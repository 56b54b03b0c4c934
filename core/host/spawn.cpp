#include "host/spawn.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::host {

SpawnPlan::SpawnPlan() {
  ::posix_spawn_file_actions_init(&actions_);
  ::posix_spawnattr_init(&attributes_);
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

SpawnPlan::~SpawnPlan() {
  ::posix_spawn_file_actions_destroy(&actions_);
  ::posix_spawnattr_destroy(&attributes_);
}

void SpawnPlan::open_null(int as, int flags) {
  ::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", flags, 0);
}

void SpawnPlan::duplicate(int fd, int as) {
  ::posix_spawn_file_actions_adddup2(&actions_, fd, as);
}

void SpawnPlan::close_from(int first) {
  ::posix_spawn_file_actions_addclosefrom_np(&actions_, first);
}

pid_t SpawnPlan::run(const std::filesystem::path& binary, std::vector<std::string> arguments) const {
  std::string name = "tftpkit";
  std::vector<char*> pointers{name.data()};
  for (std::string& argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, binary.c_str(), &actions_, &attributes_, pointers.data(), environ);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot run " + binary.string());
  return pid;
}

UniqueFd process_fd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool has_exited(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

int end_with_its_group(pid_t pid, rusage* used) {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::wait4(pid, &status, 0, used) < 0 && errno == EINTR) {
  }
  return status;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return "SIG" + (name != nullptr ? std::string(name) : std::to_string(number));
}

}  // namespace tftpkit::host
