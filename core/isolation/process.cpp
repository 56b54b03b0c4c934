#include "isolation/process.hpp"

#include "isolation/options.hpp"
#include "process/child.hpp"

#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::isolation {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

pid_t spawned(const std::filesystem::path& own_binary, int channel) {
  process::SpawnPlan plan;
  plan.open_null(STDIN_FILENO, O_RDONLY);
  // What a plugin prints belongs beside the log; our standard output is for our own words.
  plan.duplicate(STDERR_FILENO, STDOUT_FILENO);
  plan.duplicate(channel, channel_fd);
  plan.close_from(channel_fd + 1);
  return plan.run(own_binary.string(), {"tftpkit", isolated_argument});
}

}  // namespace

std::string ProcessEnd::text() const {
  if (WIFEXITED(status) && WEXITSTATUS(status) == exit_without_server)
    return "lost its connection to the server and ended";
  if (!WIFSIGNALED(status)) return "ended itself with exit(" + std::to_string(WEXITSTATUS(status)) + ")";
  return "was ended by " + process::signal_name(WTERMSIG(status));
}

Process::Process(const std::filesystem::path& own_binary) {
  auto [ours, theirs] = Channel::pair();
  // dup2 onto itself would leave close-on-exec set.
  if (theirs.get() == channel_fd) theirs.reset(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, channel_fd + 1));
  pid_ = spawned(own_binary, theirs.get());
  channel_ = Channel(std::move(ours));
  pidfd_.reset(process::descriptor_of(pid_));
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
    if (process::has_ended(pid_)) return true;
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left <= milliseconds(0)) return false;
    pollfd end{pidfd(), POLLIN, 0};
    ::poll(&end, 1, static_cast<int>(pidfd() >= 0 ? left.count() : std::min<long>(left.count(), 5)));
  }
}

ProcessEnd Process::end() {
  ProcessEnd result;
  if (std::exchange(reaped_, true)) return result;
  rusage used{};
  result.status = process::end_group(pid_, &used);
  result.peak_memory = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  return result;
}

}  // namespace tftpkit::isolation
