// RFC 6298 section 2: alpha 1/8, beta 1/4, K 4.
#include "transfer/rtt.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::transfer {
namespace {

constexpr int far = 8;
constexpr std::uint8_t convincing = 3;
constexpr std::uint8_t steady = 16;  // samples between two new beginnings: a round trip that goes up and down

}  // namespace

// A client whose answer was lost says it again by its own timer, and what was sent once then seems to have
// taken a second or more. With that estimate our timer is slower than the client's, and the next loss is
// measured in the same way. So a row of answers that come in less than an eighth of the estimate ends it. A
// way whose round trip shrinks so much in truth is measured anew just as well. One alone says nothing: behind
// a queue for thousands of clients a window may have been lucky (measured: with 10,000 of them a quarter of
// all blocks went out twice).
void RttEstimator::on_sample(Duration sample, Duration whole, Duration kept) noexcept {
  sample = std::max(sample, Duration::zero());
  hint_.reset();
  short_answers_ = contradicts(whole) ? static_cast<std::uint8_t>(short_answers_ + 1) : std::uint8_t{0};
  if (short_answers_ >= (smoothed_ <= kept ? convincing : 1)) begin_anew();
  sampled_ = sampled_ && !std::exchange(guessed_, false);
  if (since_anew_ < steady) ++since_anew_;
  if (!sampled_) {
    sampled_ = true;
    smoothed_ = shortest_ = sample;
    variation_ = sample / 2;
    return;
  }
  variation_ += (std::chrono::abs(smoothed_ - sample) - variation_) / 4;
  smoothed_ += (sample - smoothed_) / 8;
  shortest_ = std::min(shortest_, sample);
}

void RttEstimator::guess(Duration round_trip) noexcept {
  on_sample(round_trip);
  shortest_ = Duration::zero();
  guessed_ = true;
}

// The answer to an older copy may come at any time after the last one, but not often so soon, and never
// sooner than an answer can.
void RttEstimator::on_hint(Duration since_copy, Duration kept) noexcept {
  if (!contradicts(since_copy) || smoothed_ <= kept) return hint_.reset();
  if (since_copy >= shortest_ || hint_) return begin_anew();
  hint_ = since_copy;
}

bool RttEstimator::contradicts(Duration answer) const noexcept {
  return sampled_ && answer < smoothed_ / far && since_anew_ >= steady;
}

void RttEstimator::begin_anew() noexcept {
  sampled_ = false;
  since_anew_ = 0;
  short_answers_ = 0;
}

std::optional<Duration> RttEstimator::timeout() const noexcept {
  if (!sampled_) return std::nullopt;
  return smoothed_ + 4 * variation_;
}

}  // namespace tftpkit::transfer
