#include "timeline.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::sim {

std::optional<TimePoint> Timeline::next() const noexcept {
  if (events_.empty()) return std::nullopt;
  return events_.front().when;
}

void Timeline::at(TimePoint when, std::function<void()> what) {
  events_.push_back({std::max(when, now_), ++order_, std::move(what)});
  std::push_heap(events_.begin(), events_.end(), Later{});
}

void Timeline::step() {
  std::pop_heap(events_.begin(), events_.end(), Later{});
  const Event event = std::move(events_.back());
  events_.pop_back();
  now_ = event.when;
  ++happened_;
  event.what();
}

void Timeline::move_to(TimePoint when) noexcept {
  now_ = std::max(now_, when);
}

}  // namespace tftpkit::sim
