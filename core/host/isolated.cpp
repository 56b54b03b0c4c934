// A child process that runs a plugin's code for us, heard to its last word; and describe_isolated() with it.
#include "host/isolated.hpp"

#include "host/describe.hpp"
#include "host/unique_fd.hpp"
#include "process/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

// Waits for the process and not for the pipe, which a stray child of the plugin could hold open.
IsolatedEnd waited_for(pid_t pid, const UniqueFd& pipe, milliseconds time_limit) {
  const UniqueFd end(process::descriptor_of(pid));
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  const auto deadline = Clock::now() + time_limit;
  IsolatedEnd ended;
  bool open = true;
  for (;;) {
    const bool exited = process::has_ended(pid);
    if (open) open = drain(pipe.get(), ended.report);
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    ended.in_time = exited || left > milliseconds(0);
    if (exited || !ended.in_time) break;
    // Without pidfd_open (Linux 5.3) look again every few milliseconds.
    const int wait = static_cast<int>(std::min(left, end ? milliseconds(60'000) : milliseconds(5)).count());
    std::array<pollfd, 2> events{{{end.get(), POLLIN, 0}, {open ? pipe.get() : -1, POLLIN, 0}}};
    ::poll(events.data(), events.size(), wait);
  }
  ended.status = process::end_group(pid);
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
  process::SpawnPlan plan;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    plan.open_null(fd, O_RDWR);
  plan.duplicate(pipe.write.get(), report_fd);
  arguments.insert(arguments.begin(), "tftpkit");
  const pid_t pid = plan.run(own_binary.string(), arguments);
  pipe.write.reset();
  return waited_for(pid, pipe.read, time_limit);
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return "was ended by " + process::signal_name(WTERMSIG(status));
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
