// A child process: how it begins, with nothing of this one that it was not given, and how it ends with all
// that it started. Who waits for it, and for how long, is for others.
#pragma once

#include <spawn.h>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace tftpkit::process {

// What posix_spawn shall do between the two programs, as one value that frees itself. The child gets no
// blocked and no ignored signals, and a process group of its own: what it starts ends with it, and Ctrl-C is
// for the server alone.
class SpawnPlan {
 public:
  SpawnPlan();
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan();

  // Done in the order of these calls.
  void change_directory(const std::string& directory);
  void open_null(int as, int flags);
  // Not of a close-on-exec descriptor onto itself: it would stay so.
  void duplicate(int fd, int as);
  void close_from(int first);

  // `arguments` with the program's name first; with this process's environment, or that one. Throws
  // std::system_error.
  [[nodiscard]] pid_t run(const std::string& file, const std::vector<std::string>& arguments) const;
  [[nodiscard]] pid_t run(const std::string& file, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) const;

 private:
  [[nodiscard]] pid_t run(const std::string& file, const std::vector<std::string>& arguments,
                          char** environment) const;

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A descriptor that is readable once the process has ended; -1 where the kernel has no such thing (before
// Linux 5.3).
[[nodiscard]] int descriptor_of(pid_t pid) noexcept;

// It stays to be reaped.
[[nodiscard]] bool has_ended(pid_t pid) noexcept;

// The process and its group. Not after it was reaped: the number could be another's then.
void kill_group(pid_t pid) noexcept;

// Kills them, waits for the end of the process and reaps it. What waitpid() says; a status that it had
// already stays. `used` may be null.
int end_group(pid_t pid, rusage* used = nullptr) noexcept;

// "SIGSEGV"
[[nodiscard]] std::string signal_name(int number);

}  // namespace tftpkit::process
