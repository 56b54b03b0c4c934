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

  // `allowed` lines per key pass in each `window`, which begins with the first line of a key. At most `keys`
  // keys are kept apart at a time; further ones share one (so that a flood of different subjects is limited
  // too).
  RepeatLimit(std::uint32_t allowed, std::chrono::milliseconds window, std::size_t keys = 1024);

  struct Swallowed {
    std::string key;  // empty: the shared one
    std::uint64_t lines;
  };

  // May this line pass?
  [[nodiscard]] bool admits(std::string_view key, Time now);
  // The keys whose window is over and that swallowed something, each once; forgets every key whose window is
  // over.
  [[nodiscard]] std::vector<Swallowed> next_swallowed(Time now);
  // When next_swallowed() has something new to say, at the latest; nullopt: never, as things are.
  [[nodiscard]] std::optional<Time> deadline() const;

 private:
  struct Run {
    Time ends;
    std::uint64_t lines = 0;
  };

  std::uint32_t allowed_;
  std::chrono::milliseconds window_;
  std::size_t keys_;
  std::map<std::string, Run, std::less<>> runs_;
};

}  // namespace tftpkit::observe
