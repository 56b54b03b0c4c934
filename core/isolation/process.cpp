#include "isolation/process.hpp"

#include "isolation/options.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::isolation {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The file actions and attributes of posix_spawn, as one value that frees itself.
class SpawnPlan {
 public:
  explicit SpawnPlan(int channel) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // What a plugin prints belongs beside the log; our standard output is for our own words.
    ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, channel, channel_fd);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, channel_fd + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A process group of its own: what the plugin started ends with it, and Ctrl-C is for the server alone.
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

  [[nodiscard]] pid_t run(const std::filesystem::path& binary) const {
    std::string name = "tftpkit";
    std::string argument = isolated_argument;
    const std::array<char*, 3> arguments = {name.data(), argument.data(), nullptr};
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, binary.c_str(), &actions_, &attributes_, arguments.data(), environ);
    if (error != 0) throw std::system_error(error, std::generic_category(), "cannot run " + binary.string());
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

bool is_dead(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

}  // namespace

std::string ProcessEnd::text() const {
  if (WIFEXITED(status) && WEXITSTATUS(status) == exit_without_server)
    return "lost its connection to the server and ended";
  if (!WIFSIGNALED(status)) return "ended itself with exit(" + std::to_string(WEXITSTATUS(status)) + ")";
  const int number = WTERMSIG(status);
  const char* name = ::sigabbrev_np(number);
  return std::string("was ended by SIG") + (name != nullptr ? name : std::to_string(number));
}

Process::Process(const std::filesystem::path& own_binary) {
  auto [ours, theirs] = Channel::pair();
  // dup2 onto itself would leave close-on-exec set.
  if (theirs.get() == channel_fd) theirs.reset(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, channel_fd + 1));
  pid_ = SpawnPlan(theirs.get()).run(own_binary);
  channel_ = Channel(std::move(ours));
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

Process::~Process() {
  end();
}

std::uint64_t Process::resident() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool Process::ended_within(milliseconds time) const {
  const auto until = Clock::now() + time;
  for (;;) {
    if (is_dead(pid_)) return true;
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left <= milliseconds(0)) return false;
    pollfd end{pidfd(), POLLIN, 0};
    ::poll(&end, 1, static_cast<int>(pidfd() >= 0 ? left.count() : std::min<long>(left.count(), 5)));
  }
}

// Killed before it is reaped, so that its number cannot be another's yet. A status that it had already stays.
ProcessEnd Process::end() {
  ProcessEnd result;
  if (std::exchange(reaped_, true)) return result;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  rusage used{};
  while (::wait4(pid_, &result.status, 0, &used) < 0 && errno == EINTR) {
  }
  result.peak_memory = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  return result;
}

}  // namespace tftpkit::isolation
