// When to send again and when to give up: intervals, tries and silence. Knows no blocks.
#pragma once

#include "transfer/rtt.hpp"
#include "transfer/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace tftpkit::transfer {

// Defaults keep trying for a minute: ROMMON is silent for 30 s after block 1, GRUB never sends an ACK again.
struct RetryPolicy {
  Duration initial = std::chrono::milliseconds(500);  // interval before the first measured round trip
  Duration min = std::chrono::milliseconds(20);       // bounds of the measured and of the doubled interval
  Duration max = std::chrono::seconds(8);  // atftp asks again after 5 s of quiet only: leave it that quiet
  Duration max_silence = std::chrono::seconds(60);  // since the last sign of life
  std::uint16_t max_tries = 40;                     // resends without progress
  std::uint16_t unproven_resends = 2;               // before the peer has proved its address by an ACK
  std::uint16_t final_block_tries = 10;             // resends when only the last ACK is missing
  float jitter = 0.1F;  // share of an interval, either way, once it has been doubled
};

// One per transfer. A try is one timed resend of whatever is outstanding.
class Retry {
 public:
  Retry(const RetryPolicy& policy, std::optional<std::chrono::microseconds> asked, TimePoint now,
        std::uint64_t seed, bool windows = false) noexcept;

  void on_sent(TimePoint now) noexcept { since_ = now; }  // something that wants an answer went out
  void on_life(TimePoint now) noexcept { heard_ = now; }  // anything sensible came from the peer
  void on_progress(TimePoint now) noexcept;               // the budget starts again
  void on_excused(TimePoint now) noexcept;                // the silence so far was not the peer's
  // Of something sent exactly once (Karn); `whole`: for all of the flight.
  void on_sample(Duration round_trip, Duration whole) noexcept;
  void on_sample(Duration round_trip) noexcept { rtt_.on_sample(round_trip); }
  void on_clean_progress() noexcept;                        // ends the doubling
  void on_doubtful_progress(Duration since_copy) noexcept;  // of something sent again that long ago
  void on_echo(Duration since_copy) noexcept;               // an answer to a copy that was not needed
  void on_try() noexcept;                                   // the interval has passed; a resend follows

  [[nodiscard]] TimePoint sent_at() const noexcept { return since_; }
  [[nodiscard]] TimePoint next_try() const noexcept { return since_ + interval_; }
  [[nodiscard]] TimePoint silence_end() const noexcept { return heard_ + max_silence_; }
  // For an address that has not proved itself: what it asked for buys no patience.
  [[nodiscard]] TimePoint stranger_silence_end() const noexcept { return heard_ + policy_.max_silence; }
  [[nodiscard]] unsigned tries() const noexcept { return tries_; }
  [[nodiscard]] Duration interval() const noexcept { return interval_; }
  [[nodiscard]] const RttEstimator& rtt() const noexcept { return rtt_; }
  [[nodiscard]] const RetryPolicy& policy() const noexcept { return policy_; }

 private:
  [[nodiscard]] Duration base_interval() const noexcept;
  [[nodiscard]] Duration jittered(Duration interval) noexcept;
  [[nodiscard]] Duration doubled(Duration interval) const noexcept;
  [[nodiscard]] bool is_prompt(Duration since_copy) const noexcept;
  [[nodiscard]] Duration plausible() const noexcept;
  void settle_interval() noexcept;

  RetryPolicy policy_;
  RttEstimator rtt_;
  Duration asked_;  // the client's own interval; zero: adapt
  Duration interval_;
  Duration max_silence_;
  TimePoint since_;
  TimePoint heard_;
  std::uint64_t random_;
  std::uint16_t tries_ = 0;
  std::uint16_t doublings_ = 0;
  std::uint8_t prompt_ = 0;  // answers as soon after a copy as answers come, since the last late echo
  bool windows_;
  bool lossy_ = false;   // the way loses packets: that is why the last tries were needed
  bool tried_ = false;   // since the last clean progress
  bool echoed_ = false;  // likewise, and an echo came late: the interval may be too short
};

}  // namespace tftpkit::transfer
