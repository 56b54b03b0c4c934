// Intervals and budgets of resending.
#include "transfer/retry.hpp"

#include <algorithm>

namespace tftpkit::transfer {
namespace {

// splitmix64: any seed, zero included, gives a usable sequence.
double next_share(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15U;
  auto z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1.0p-53;
}

}  // namespace

Retry::Retry(const RetryPolicy& policy, std::optional<std::chrono::microseconds> asked, TimePoint now,
             std::uint64_t seed) noexcept
    : policy_(policy), asked_(asked.value_or(std::chrono::microseconds(0))), interval_(),
      max_silence_(std::max<Duration>(policy.max_silence, 3 * asked_)), since_(now), heard_(now),
      random_(seed) {
  settle_interval();
}

void Retry::on_progress(TimePoint now) noexcept {
  tries_ = 0;
  since_ = now;  // RFC 6298 (5.3): what is still out gets a whole interval
}

void Retry::on_excused(TimePoint now) noexcept {
  tries_ = 0;
  heard_ = now;
}

void Retry::on_sample(Duration round_trip) noexcept {
  rtt_.on_sample(round_trip);
}

void Retry::on_clean_progress() noexcept {
  doublings_ = 0;
  settle_interval();
}

void Retry::on_try() noexcept {
  ++tries_;
  ++doublings_;
  settle_interval();
}

void Retry::settle_interval() noexcept {
  if (asked_ > Duration::zero()) {
    interval_ = asked_;  // RFC 2349: the client's number is the interval, neither doubled nor spread
    return;
  }
  interval_ = base_interval();
  for (unsigned i = 0; i < doublings_ && interval_ < policy_.max; ++i)
    interval_ *= 2;
  if (doublings_ > 0) interval_ = jittered(interval_);
  interval_ = std::clamp(interval_, policy_.min, policy_.max);
}

Duration Retry::base_interval() const noexcept {
  return std::clamp(rtt_.timeout().value_or(policy_.initial), policy_.min, policy_.max);
}

Duration Retry::jittered(Duration interval) noexcept {
  const auto spread = (2 * next_share(random_) - 1) * static_cast<double>(policy_.jitter);
  return interval + Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * spread));
}

}  // namespace tftpkit::transfer
