// Timeline: the virtual clock and what is to happen when. Time stands still while something happens and jumps
// to the next thing then. What is set for the same moment happens in the order set.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace tftpkit::sim {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

class Timeline {
 public:
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  [[nodiscard]] std::optional<TimePoint> next() const noexcept;
  [[nodiscard]] std::uint64_t happened() const noexcept { return happened_; }

  void at(TimePoint when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // Moves to the next event and lets it happen.
  void step();
  void move_to(TimePoint when) noexcept;
  void clear() noexcept { events_.clear(); }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t order = 0;
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const noexcept {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  TimePoint now_{std::chrono::hours(1)};
  std::uint64_t order_ = 0;
  std::uint64_t happened_ = 0;
  std::vector<Event> events_;  // a heap
};

}  // namespace tftpkit::sim
