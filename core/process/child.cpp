#include "process/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::process {
namespace {

// With the NULL at the end that execve() wants; good as long as the texts are.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

}  // namespace

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

void SpawnPlan::change_directory(const std::string& directory) {
  ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
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

pid_t SpawnPlan::run(const std::string& file, const std::vector<std::string>& arguments) const {
  return run(file, arguments, environ);
}

pid_t SpawnPlan::run(const std::string& file, const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment) const {
  return run(file, arguments, pointers(environment).data());
}

pid_t SpawnPlan::run(const std::string& file, const std::vector<std::string>& arguments,
                     char** environment) const {
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, file.c_str(), &actions_, &attributes_, pointers(arguments).data(), environment);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot run " + file);
  return pid;
}

int descriptor_of(pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

bool has_ended(pid_t pid) noexcept {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

void kill_group(pid_t pid) noexcept {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
}

int end_group(pid_t pid, rusage* used) noexcept {
  kill_group(pid);
  int status = 0;
  while (::wait4(pid, &status, 0, used) < 0 && errno == EINTR) {
  }
  return status;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return "SIG" + (name != nullptr ? std::string(name) : std::to_string(number));
}

}  // namespace tftpkit::process
