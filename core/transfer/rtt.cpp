// RFC 6298 section 2: alpha 1/8, beta 1/4, K 4.
#include "transfer/rtt.hpp"

#include <algorithm>

namespace tftpkit::transfer {

void RttEstimator::on_sample(Duration sample) noexcept {
  sample = std::max(sample, Duration::zero());
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

std::optional<Duration> RttEstimator::timeout() const noexcept {
  if (!sampled_) return std::nullopt;
  return smoothed_ + 4 * variation_;
}

}  // namespace tftpkit::transfer
