#include "isolation/watch.hpp"

#include <algorithm>

namespace tftpkit::isolation {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds shortest_interval{20};
constexpr milliseconds longest_interval{1'000};

}  // namespace

std::string in_seconds(milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " s";
}

Watch::Watch(milliseconds call_limit)
    : call_limit_{call_limit}, interval_{std::clamp(call_limit / 4, shortest_interval, longest_interval)} {}

void Watch::started() noexcept {
  started_ = true;
  heard_ = Clock::now();
}

// More milliseconds than fit can only be a lie.
void Watch::heard(std::uint64_t longest_call_ms) noexcept {
  heard_ = Clock::now();
  longest_call_ = milliseconds(std::min<std::uint64_t>(longest_call_ms, UINT32_MAX));
}

bool Watch::due() {
  if (Clock::now() < next_) return false;
  next_ = Clock::now() + interval_;
  return true;
}

milliseconds Watch::until_due() const {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next_ - Clock::now()));
}

std::string Watch::hangs() const {
  const std::string limit = in_seconds(call_limit_);
  if (longest_call_ > call_limit_)
    return "a call took longer than its limit of " + limit + " and its process was ended";
  // Our own thread may have been kept from listening: an interval more is due to the process.
  if (Clock::now() - heard_ <= call_limit_ + interval_) return {};
  if (!started_) return "its process did not start the instance within " + limit;
  return "its process did not react within " + limit + " and was ended";
}

}  // namespace tftpkit::isolation
