// The child process that runs a plugin's code for us, from spawn to the last word about it; and
// describe_isolated() with it.
#include "host/isolated.hpp"

#include "host/describe.hpp"
#include "host/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace tftpkit::host {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t longest_report = std::size_t{4} << 20;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe made_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The file actions and attributes of posix_spawn, as one value that frees itself.
class SpawnPlan {
 public:
  explicit SpawnPlan(int report) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, report, report_fd);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A process group of its own, so that what the plugin started can be ended with it.
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

  pid_t run(const std::filesystem::path& binary, std::vector<std::string> arguments) const {
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

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Reads what is there; false at the end of the pipe.
bool drain(int fd, std::string& into) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n > 0) {
      if (into.size() < longest_report) into.append(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN;
  }
}

bool has_exited(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

// Before the process is reaped, so that its number cannot be another's yet.
int ended_with_its_group(pid_t pid) {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Waits for the process and not for the pipe, which a stray child of the plugin could hold open.
IsolatedEnd waited_for(pid_t pid, const UniqueFd& pipe, milliseconds time_limit) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  const auto deadline = Clock::now() + time_limit;
  IsolatedEnd ended;
  bool open = true;
  for (;;) {
    const bool exited = has_exited(pid);
    if (open) open = drain(pipe.get(), ended.report);
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    ended.in_time = exited || left > milliseconds(0);
    if (exited || !ended.in_time) break;
    // Without pidfd_open (Linux 5.3) look again every few milliseconds.
    const int wait =
        static_cast<int>(std::min(left, process ? milliseconds(60'000) : milliseconds(5)).count());
    std::array<pollfd, 2> events{{{process.get(), POLLIN, 0}, {open ? pipe.get() : -1, POLLIN, 0}}};
    ::poll(events.data(), events.size(), wait);
  }
  ended.status = ended_with_its_group(pid);
  return ended;
}

Finding judged(const IsolatedEnd& ended, const std::filesystem::path& file, milliseconds time_limit) {
  Finding finding{file, State::crashed};
  if (!ended.in_time) {
    finding.state = State::timed_out;
    finding.reason = file.string() + " did not describe itself within " + std::to_string(time_limit.count()) +
                     " ms; its entry must only return the descriptor";
    return finding;
  }
  if (auto said = decoded(ended.report, file)) return *said;
  finding.reason = file.string() + " " + end_text(ended.status) + " while describing itself";
  return finding;
}

}  // namespace

IsolatedEnd run_isolated(const std::filesystem::path& own_binary, std::vector<std::string> arguments,
                         milliseconds time_limit) {
  Pipe pipe = made_pipe();
  const pid_t pid = SpawnPlan(pipe.write.get()).run(own_binary, std::move(arguments));
  pipe.write.reset();
  return waited_for(pid, pipe.read, time_limit);
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* name = ::sigabbrev_np(number);
    return std::string("was ended by SIG") + (name != nullptr ? name : std::to_string(number));
  }
  return "ended the process with exit(" + std::to_string(WEXITSTATUS(status)) + ")";
}

IsolatedReport::IsolatedReport() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const rlimit cpu_seconds{30, 30};
  ::setrlimit(RLIMIT_CPU, &cpu_seconds);
  // The plugin's code must not find it at the number where we were given it, nor hand it to children.
  fd_.reset(::fcntl(report_fd, F_DUPFD_CLOEXEC, 10));
  ::close(report_fd);
  if (!fd_) ::_exit(2);
}

void IsolatedReport::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(2);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

Finding describe_isolated(const std::filesystem::path& file, milliseconds time_limit,
                          const std::filesystem::path& own_binary) {
  try {
    return judged(run_isolated(own_binary, {describe_argument, file.string()}, time_limit), file, time_limit);
  } catch (const std::system_error& error) {
    return {file, State::cannot_load, file.string() + ": " + error.what()};
  }
}

}  // namespace tftpkit::host
