// Keeps a log readable under a storm: of the lines with one key only the first few in a while pass, the rest
// become one number. It does not know what a line is, and time is an argument. The log owns one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::observe {

class RepeatLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `allowed` lines of one key pass in each `window`, which begins with the key's first line. At most `keys`
  // keys are kept apart at a time; what comes beyond shares one, so that a flood of different keys is limited
  // too.
  RepeatLimit(std::uint32_t allowed, std::chrono::milliseconds window, std::size_t keys = 256);

  struct Swallowed {
    std::string key;  // empty: the shared one
    std::uint64_t lines;
  };

  // May this line pass?
  [[nodiscard]] bool admits(std::string_view key, Time now);
  // What was swallowed in windows that are over, each window once.
  [[nodiscard]] std::vector<Swallowed> next_swallowed(Time now);
  // When next_swallowed() will have something to say; nullopt: never, as things are.
  [[nodiscard]] std::optional<Time> deadline() const noexcept { return deadline_; }

 private:
  struct Run {
    Time ends;
    std::uint64_t lines = 0;
  };

  Run& run_of(std::string_view key, Time now);
  void end_windows(Time now);

  std::uint32_t allowed_;
  std::chrono::milliseconds window_;
  std::size_t keys_;
  std::map<std::string, Run, std::less<>> runs_;
  std::vector<Swallowed> ended_;
  Time first_end_ = Time::max();  // no run ends before
  std::optional<Time> deadline_;
};

}  // namespace tftpkit::observe
