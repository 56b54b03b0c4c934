// Progress: one line on a terminal that says how far a download is. Silent everywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tftpkit::cli {

class Progress {
 public:
  Progress();
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `whole` when the server has told the size. Draws at most ten times a second.
  void show(std::uint64_t bytes, std::optional<std::uint64_t> whole);

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  bool drawn_ = false;
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_ = began_;
};

}  // namespace tftpkit::cli
