// Intervals and budgets of resending.
#include "transfer/retry.hpp"

#include <algorithm>

namespace tftpkit::transfer {
namespace {

constexpr std::uint8_t convincing = 2;  // answers soon after a copy
// Where losses are known to be the reason the interval doubles from this try on (as Linux has it for thin
// streams of TCP): in lockstep a quarter of all tries is lost again at 20 % loss.
constexpr unsigned kept_intervals = 5;
constexpr Duration carried_most = std::chrono::seconds(1);

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
             std::uint64_t seed, bool windows) noexcept
    : policy_(policy), asked_(asked.value_or(std::chrono::microseconds(0))), interval_(),
      max_silence_(std::max<Duration>(policy.max_silence, 3 * asked_)), since_(now), heard_(now),
      random_(seed), windows_(windows) {
  policy_.max = std::max(policy_.max, policy_.min);
  settle_interval();
}

// Karn: until something sent once is answered the doubling stays, or a round trip that has grown beyond the
// interval would never be measured. Not beyond a second, though: after an outage the next loss must not cost
// the whole maximum.
void Retry::on_progress(TimePoint now) noexcept {
  if (doublings_ > 1 && interval_ > carried_most) {
    while (doublings_ > 1 && doubled(base_interval()) > carried_most)
      --doublings_;
    settle_interval();
  }
  tries_ = 0;
  since_ = now;  // RFC 6298 (5.3): what is still out gets a whole interval
}

void Retry::on_excused(TimePoint now) noexcept {
  tries_ = 0;
  heard_ = now;
}

void Retry::on_clean_progress() noexcept {
  tried_ = echoed_ = false;
  doublings_ = 0;
  settle_interval();
}

// With 10,000 clients at once the round trip of one window may be an eighth of the last one's: beginning anew
// each time sent a quarter of all blocks twice.
void Retry::on_sample(Duration round_trip, Duration whole) noexcept {
  rtt_.on_sample(round_trip, whole, plausible());
}

// A round trip that a window may have; in lockstep there is no queue of our own making.
Duration Retry::plausible() const noexcept {
  return windows_ ? policy_.initial : Duration::zero();
}

// Where every window loses something nothing is ever sent just once, and the doubling would stay for ever. An
// answer that came as soon after the last copy as answers come ends it too, since losses are why copies were
// needed. Unless an echo says that they were sent too early: then the round trip has grown, and the doubling
// is what lets it be measured. It takes two such answers then, without a late echo between them.
void Retry::on_doubtful_progress(Duration since_copy) noexcept {
  if (!echoed_ && tries_ > 0) rtt_.on_hint(since_copy, plausible());
  // A guess from the wire is better than the policy's, unless a client's own timer may be in it.
  if (!rtt_.timeout() && since_copy < policy_.initial) rtt_.guess(since_copy);
  if (!is_prompt(since_copy)) return;
  if (echoed_ && ++prompt_ < convincing) return;
  echoed_ = false;
  lossy_ = !windows_;
  doublings_ = 0;
  settle_interval();
}

// An echo of a copy that was sent too early comes one round trip after it, and that is longer than the
// interval was. One that comes sooner says that an ACK was lost. With windows the copies are many, and it
// says nothing.
void Retry::on_echo(Duration since_copy) noexcept {
  if (!tried_ || (!windows_ && is_prompt(since_copy))) return;
  echoed_ = true;
  lossy_ = false;
  prompt_ = 0;
  rtt_.forget_hints();
}

bool Retry::is_prompt(Duration since_copy) const noexcept {
  return rtt_.timeout() && since_copy >= rtt_.shortest() && since_copy <= *rtt_.timeout() + policy_.min / 4;
}

void Retry::on_try() noexcept {
  tried_ = true;
  constexpr std::uint16_t top = 65535;
  tries_ = static_cast<std::uint16_t>(tries_ + (tries_ < top ? 1 : 0));
  const bool keeps = lossy_ && tries_ <= kept_intervals;
  doublings_ = static_cast<std::uint16_t>(doublings_ + (doublings_ < top && !keeps ? 1 : 0));
  settle_interval();
}

void Retry::settle_interval() noexcept {
  if (asked_ > Duration::zero()) {
    interval_ = asked_;  // RFC 2349: the client's number is the interval, neither doubled nor spread
    return;
  }
  interval_ = doubled(base_interval());
  if (doublings_ > 0) interval_ = jittered(interval_);
  interval_ = std::clamp(interval_, policy_.min, policy_.max);
}

Duration Retry::doubled(Duration interval) const noexcept {
  for (unsigned i = 0; i < doublings_ && interval < policy_.max; ++i)
    interval *= 2;
  return interval;
}

Duration Retry::base_interval() const noexcept {
  return std::clamp(rtt_.timeout().value_or(policy_.initial), policy_.min, policy_.max);
}

Duration Retry::jittered(Duration interval) noexcept {
  const auto spread = (2 * next_share(random_) - 1) * static_cast<double>(policy_.jitter);
  return interval + Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * spread));
}

}  // namespace tftpkit::transfer
