// Does a process still live up to its limits of time? Told what it says of itself; knows neither process nor
// messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace tftpkit::isolation {

// "3 s", "1.5 s"
std::string in_seconds(std::chrono::milliseconds time);

class Watch {
 public:
  explicit Watch(std::chrono::milliseconds call_limit);

  // Its instance has started.
  void started() noexcept;
  [[nodiscard]] bool is_started() const noexcept { return started_; }
  // It has reacted; the longest call into the plugin that is under way takes so long already.
  void heard(std::uint64_t longest_call_ms) noexcept;
  // It said why it cannot start.
  void failed(std::string why) { failure_ = std::move(why); }
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  // The time to ask it again: true once for each interval.
  bool due();
  [[nodiscard]] std::chrono::milliseconds until_due() const;
  // In words, when it hangs; else empty.
  [[nodiscard]] std::string hangs() const;

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::milliseconds call_limit_;
  std::chrono::milliseconds interval_;
  Clock::time_point heard_ = Clock::now();
  Clock::time_point next_ = heard_ + interval_;
  std::chrono::milliseconds longest_call_{0};
  std::string failure_;
  bool started_ = false;
};

}  // namespace tftpkit::isolation
