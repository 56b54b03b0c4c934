// Round-trip estimation in the way of RFC 6298. Takes samples only; who may take one (Karn) is decided by the
// caller.
#pragma once

#include "transfer/time.hpp"

#include <cstdint>
#include <optional>

namespace tftpkit::transfer {

class RttEstimator {
 public:
  // A sample below zero (a clock that was set by hand) counts as zero. `whole`: what it would be for all of
  // the flight, if only a part was answered. Far below the estimate it begins the estimate anew, see .cpp.
  // An estimate up to `kept` is begun anew only after a row of samples that contradict it.
  void on_sample(Duration sample, Duration whole, Duration kept) noexcept;
  void on_sample(Duration sample) noexcept { on_sample(sample, sample, Duration::zero()); }

  // Where there is no sample: stands for one until the first comes, and does not say how soon answers can
  // come.
  void guess(Duration round_trip) noexcept;

  // No sample: an answer came so soon after the last copy of what it is about, but may be one to an older
  // copy. Far below the estimate it makes it be forgotten; an estimate up to `kept` stays.
  void on_hint(Duration since_copy, Duration kept) noexcept;
  void forget_hints() noexcept { hint_.reset(); }

  // SRTT + 4 RTTVAR, not bounded; nullopt before the first sample.
  [[nodiscard]] std::optional<Duration> timeout() const noexcept;

  // The shortest sample ever: no answer can come sooner. Zero before the first sample.
  [[nodiscard]] Duration shortest() const noexcept { return shortest_; }
  [[nodiscard]] Duration smoothed() const noexcept { return smoothed_; }
  [[nodiscard]] bool sampled() const noexcept { return sampled_; }

 private:
  void begin_anew() noexcept;
  [[nodiscard]] bool contradicts(Duration answer) const noexcept;

  Duration smoothed_{};
  Duration variation_{};
  Duration shortest_{};
  std::optional<Duration> hint_;    // the last one, far below the estimate and below any sample
  std::uint8_t since_anew_ = 255;   // samples since the estimate began anew
  std::uint8_t short_answers_ = 0;  // in a row that contradict the estimate
  bool sampled_ = false;
  bool guessed_ = false;
};

}  // namespace tftpkit::transfer
