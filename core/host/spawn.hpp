// A child process that runs this binary again: how it begins and how it ends with all that it started. Who
// waits for it, and for how long, is for others.
#pragma once

#include "host/unique_fd.hpp"

#include <filesystem>
#include <spawn.h>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace tftpkit::host {

// What posix_spawn shall do between the two programs, as one value that frees itself. The child gets no
// blocked and no ignored signals, and a process group of its own: what it starts ends with it, and Ctrl-C is
// for the server alone.
class SpawnPlan {
 public:
  SpawnPlan();
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan();

  // In the order of these calls.
  void open_null(int as, int flags);
  void duplicate(int fd, int as);
  void close_from(int first);

  // Throws std::system_error.
  [[nodiscard]] pid_t run(const std::filesystem::path& binary, std::vector<std::string> arguments) const;

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Readable once the process has ended; none where the kernel has no such thing (before Linux 5.3).
UniqueFd process_fd(pid_t pid);

// Has it ended? It stays to be reaped.
bool has_exited(pid_t pid);

// Kills the process and its group, then reaps it: its number cannot be another's before. What waitpid() says;
// a status that it had already stays. `used` may be null.
int end_with_its_group(pid_t pid, rusage* used = nullptr);

// "SIGSEGV"
std::string signal_name(int number);

}  // namespace tftpkit::host
