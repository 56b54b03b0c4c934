// One process for one isolated instance, from spawn to the last word about it. Knows nothing of what the two
// say to each other.
#pragma once

#include "host/unique_fd.hpp"
#include "isolation/channel.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace tftpkit::isolation {

// What came of a process.
struct ProcessEnd {
  int status = 0;                 // as waitpid() gives it
  std::uint64_t peak_memory = 0;  // bytes that were resident at once, at most

  // "was ended by SIGSEGV", "ended itself with exit(1)"
  [[nodiscard]] std::string text() const;
};

class Process {
 public:
  // Spawned by the calling thread: it dies with that thread. Throws std::system_error.
  explicit Process(const std::filesystem::path& own_binary);
  ~Process();  // ends it when nobody did
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] Channel& channel() noexcept { return channel_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Readable once the process has ended; -1 where the kernel has none (before Linux 5.3).
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

  // Bytes resident now; 0 when that cannot be told.
  [[nodiscard]] std::uint64_t resident() const;
  // Has it ended, at the latest after this time? It is not reaped by that.
  [[nodiscard]] bool ended_within(std::chrono::milliseconds time) const;
  // Ends it with all that it started, and reaps it. Once.
  ProcessEnd end();

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  host::UniqueFd pidfd_;
  Channel channel_;
};

}  // namespace tftpkit::isolation
