// Round-trip estimation in the way of RFC 6298. Takes samples only; who may take one (Karn) is decided by the
// caller.
#pragma once

#include "transfer/time.hpp"

#include <optional>

namespace tftpkit::transfer {

class RttEstimator {
 public:
  // A sample below zero (a clock that was set by hand) counts as zero.
  void on_sample(Duration sample) noexcept;

  // SRTT + 4 RTTVAR, not bounded; nullopt before the first sample.
  [[nodiscard]] std::optional<Duration> timeout() const noexcept;

  // The shortest sample ever: no answer can come sooner. Zero before the first sample.
  [[nodiscard]] Duration shortest() const noexcept { return shortest_; }
  [[nodiscard]] Duration smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] bool sampled() const noexcept { return sampled_; }

 private:
  Duration smoothed_{};
  Duration variation_{};
  Duration shortest_{};
  bool sampled_ = false;
};

}  // namespace tftpkit::transfer
