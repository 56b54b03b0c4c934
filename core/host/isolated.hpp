// Plugin code in a process of its own (this binary again): run, bounded in time, and heard by a report on a
// pipe, so that a plugin that crashes, exits or hangs there ends nothing else. Knows not what is run.
#pragma once

#include "host/unique_fd.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::host {

// Where the child finds its end of the pipe.
inline constexpr int report_fd = 3;

struct IsolatedEnd {
  bool in_time = true;
  int status = 0;      // as waitpid() gives it
  std::string report;  // all that the child wrote
};

// Runs `own_binary` with these arguments, its standard descriptors at /dev/null, and ends it with all that it
// started when `time_limit` is over. Throws std::system_error when there is no process.
IsolatedEnd run_isolated(const std::filesystem::path& own_binary, std::vector<std::string> arguments,
                         std::chrono::milliseconds time_limit);

// "was ended by SIGSEGV", "ended the process with exit(1)".
std::string end_text(int status);

// The child's side. A plugin that spins, eats memory or dies here must cost little and leave no core file.
class IsolatedReport {
 public:
  // Bounds this process and takes the pipe out of the plugin's reach. Call it before the plugin is loaded.
  IsolatedReport();
  // All of it, or the process ends: nobody listens any more.
  void write(std::string_view bytes) const;

 private:
  UniqueFd fd_;
};

}  // namespace tftpkit::host
