// The sending end of one transfer, sans-IO: it is told what happened, then asked what to send and when to be
// woken. Knows no socket, no clock, no bytes of the file and no log. Owned by whoever owns the source and the
// socket.
//
// After every event: while (burst = next_burst(now)) send it and on_sent(what left); then arm deadline();
// then outcome(). Memory: every byte in [first_needed_byte(), end of what next_burst may ask for] has to stay
// readable; a block may be asked for again until it is acknowledged.
#pragma once

#include "transfer/negotiation.hpp"
#include "transfer/outcome.hpp"
#include "transfer/retry.hpp"
#include "transfer/time.hpp"
#include "transfer/window.hpp"
#include "wire/block.hpp"
#include "wire/error_code.hpp"

#include <cstdint>
#include <optional>

namespace tftpkit::transfer {

// What should leave now: the OACK, or count DATA blocks from first on (first, first+1, ...).
struct Burst {
  enum class Kind : std::uint8_t { oack, blocks };

  Kind kind = Kind::blocks;
  bool resend = false;      // the first of them has been sent before
  std::uint64_t first = 0;  // block, counts from 1; 0 for the OACK
  std::uint32_t count = 0;  // 1 for the OACK, else 1 to windowsize

  bool operator==(const Burst&) const = default;
};

// The payload of a block: where in the source (after netascii), and how long. length < blksize marks the last
// block.
struct Extent {
  std::uint64_t offset = 0;
  std::uint16_t length = 0;

  bool operator==(const Extent&) const = default;
};

class Sender {
 public:
  struct Counters {
    std::uint64_t blocks_sent = 0;    // DATA packets, resent ones included
    std::uint64_t resends = 0;        // packets sent again, OACK included
    std::uint64_t payload_bytes = 0;  // in all DATA packets
  };

  // seed only feeds the jitter of doubled intervals.
  Sender(const Terms& terms, const RetryPolicy& policy, bool with_oack, TimePoint now,
         std::uint64_t seed) noexcept;

  // Payload bytes [0, bytes_ready) can be asked for from now on; ended: the payload is exactly that long.
  // bytes_ready never shrinks; calls after ended are ignored.
  void on_source(std::uint64_t bytes_ready, bool ended, TimePoint now) noexcept;
  void on_ack(std::uint16_t wire_block, TimePoint now) noexcept;
  void on_error(wire::ErrorCode code, TimePoint now) noexcept;  // ends at once, never answered
  void
  on_repeated_request(TimePoint now) noexcept;  // the same RRQ again; swallowed but for one case, see .cpp
  void on_unreachable(TimePoint now) noexcept;  // ECONNREFUSED
  void on_deadline(TimePoint now) noexcept;     // too early a call does nothing
  void on_sent(unsigned count, TimePoint now) noexcept;  // blocks of the burst (1: the OACK) that really left

  // nullopt: nothing to send now. Asking does not change state; what on_sent did not take is offered again.
  [[nodiscard]] std::optional<Burst> next_burst(TimePoint now) const noexcept;
  // nullopt: waiting for the source only, or ended.
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept;
  [[nodiscard]] std::optional<Outcome> outcome() const noexcept { return outcome_; }

  [[nodiscard]] Extent bytes_of(std::uint64_t block) const noexcept {
    return {window_.offset_of(block), window_.length_of(block)};
  }
  [[nodiscard]] std::uint16_t wire_block(std::uint64_t block) const noexcept {
    return wire::wire_block(block, terms_.rollover);
  }
  [[nodiscard]] std::uint64_t acked_bytes() const noexcept { return window_.acked_bytes(); }
  [[nodiscard]] std::uint64_t first_needed_byte() const noexcept { return window_.acked() * terms_.blksize; }
  // The end of the window (may lie behind the end of the file): the source should be ready up to here.
  [[nodiscard]] std::uint64_t last_needed_byte() const noexcept { return window_.end() * terms_.blksize; }
  // The window is short for want of bytes. No silence of the client is counted then: that the source does not
  // take for ever is for whoever owns it.
  [[nodiscard]] bool source_is_late() const noexcept { return !awaiting_oack_ack() && window_.starved(); }
  [[nodiscard]] bool proven() const noexcept { return proven_; }  // a valid ACK has come
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }
  [[nodiscard]] const RttEstimator& rtt() const noexcept { return retry_.rtt(); }

 private:
  enum class OackState : std::uint8_t { none, due, sent, acked };

  [[nodiscard]] bool awaiting_oack_ack() const noexcept {
    return oack_ == OackState::due || oack_ == OackState::sent;
  }
  [[nodiscard]] bool outstanding() const noexcept;
  [[nodiscard]] bool may_try() const noexcept;
  [[nodiscard]] TimePoint silence_end() const noexcept;
  [[nodiscard]] bool last_ack_missing() const noexcept;
  [[nodiscard]] bool spent(TimePoint now) const noexcept;
  [[nodiscard]] bool can_answer_flight(Duration least, TimePoint now) const noexcept;
  [[nodiscard]] Duration whole_flight(std::uint64_t block, TimePoint now) const noexcept;
  void on_oack_acked(std::uint16_t wire_block, TimePoint now) noexcept;
  void on_new_ack(std::uint64_t block, TimePoint now) noexcept;
  void on_repeated_ack(TimePoint now) noexcept;
  void on_gap(bool sent_once, TimePoint now) noexcept;
  void on_oack_sent(TimePoint now) noexcept;
  void on_blocks_sent(unsigned count, TimePoint now) noexcept;
  void send_again() noexcept;

  Terms terms_;
  Window window_;
  Retry retry_;
  Counters counters_;
  TimePoint flight_at_;            // when the flight of now began to leave
  TimePoint fresh_at_;             // when the last burst of never-sent blocks left
  TimePoint copy_at_;              // when something was last sent again
  std::uint64_t fresh_first_ = 1;  // its first block
  std::uint64_t resent_to_ = 0;    // highest block ever sent twice
  std::uint64_t echoes_ = 0;       // packets sent again whose duplicate ACK may still come
  std::optional<Outcome> outcome_;
  OackState oack_;
  bool proven_ = false;
  bool asked_again_ = false;  // an unproven client has said its request again, and waits for what that earns
  bool early_resend_used_ = false;  // since the last progress
  bool doubtful_used_ = false;      // since the last ACK that could mean one thing only
  bool gap_ = false;                // the last ACK that brought something was for a part of the flight
};

static_assert(sizeof(Sender) < 400);

}  // namespace tftpkit::transfer
