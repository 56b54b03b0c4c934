// The sending end. The rules that took clients to learn are written where they are applied.
#include "transfer/sender.hpp"

#include <algorithm>
#include <cassert>

namespace tftpkit::transfer {
namespace {

// In lockstep an ACK repeated sooner than this is a duplicate made by the network, not a client that asks
// again: the quickest client timer known is PXELINUX's 55 ms, the next is busybox' 100 ms.
constexpr Duration quickest_client_timer = std::chrono::milliseconds(10);

// An address that never answered gets at most ten times the bytes that came in its name. The smallest request
// is an Ethernet frame of 60 bytes; an ERROR may still have to follow.
constexpr std::uint64_t unproven_bytes = 10 * 60 - 100;
constexpr std::uint64_t frame_overhead = 66;  // Ethernet, IPv6, UDP and the head of DATA

}  // namespace

Sender::Sender(const Terms& terms, const RetryPolicy& policy, bool with_oack, TimePoint now,
               std::uint64_t seed) noexcept
    : terms_(terms), window_(terms.blksize, terms.windowsize, terms.rollover),
      retry_(policy, terms.timeout, now, seed, terms.windowsize > 1), flight_at_(now), fresh_at_(now),
      copy_at_(now), oack_(with_oack ? OackState::due : OackState::none) {}

// Told.

void Sender::on_source(std::uint64_t bytes_ready, bool ended, TimePoint now) noexcept {
  if (source_is_late()) retry_.on_excused(now);
  window_.on_source(bytes_ready, ended);
}

void Sender::on_ack(std::uint16_t wire_block, TimePoint now) noexcept {
  if (outcome_) return;
  if (awaiting_oack_ack()) return on_oack_acked(wire_block, now);
  const auto block = window_.unwrap(wire_block);
  if (!block || counters_.blocks_sent == 0) return;
  proven_ = true;
  retry_.on_life(now);
  if (*block == window_.acked())
    on_repeated_ack(now);
  else
    on_new_ack(*block, now);
}

void Sender::on_oack_acked(std::uint16_t wire_block, TimePoint now) noexcept {
  const bool sent_once = retry_.tries() == 0;
  const bool never_sent = oack_ == OackState::due && sent_once;
  if (wire_block != 0 || never_sent) return;
  proven_ = true;
  oack_ = OackState::acked;
  retry_.on_life(now);
  if (sent_once) {
    retry_.on_sample(now - flight_at_);
    retry_.on_clean_progress();
  } else {
    retry_.on_doubtful_progress(now - flight_at_);
  }
  retry_.on_progress(now);
}

void Sender::on_new_ack(std::uint64_t block, TimePoint now) noexcept {
  // Karn: only what was sent exactly once says how long an answer takes. And since it left after every packet
  // that was sent again before it, their echoes have all come.
  const bool sent_once = block > resent_to_;
  if (sent_once) {
    if (block >= fresh_first_) retry_.on_sample(now - fresh_at_, whole_flight(block, now));
    retry_.on_clean_progress();
    echoes_ = 0;
    doubtful_used_ = false;
  } else {
    retry_.on_doubtful_progress(now - flight_at_);
  }
  gap_ = block + 1 < window_.next();
  window_.on_ack(block);
  early_resend_used_ = false;
  retry_.on_progress(now);
  if (window_.done()) {
    outcome_ = Outcome::delivered;
    return;
  }
  if (gap_) on_gap(sent_once, now);
}

// RFC 7440 section 4: something behind this block is missing, a whole window goes out from here. But a client
// that sends an ACK for every packet that it does not expect (EDK2) sends a row of them for one gap, and more
// for every copy of what it has. Those that cannot be answers to the flight that started over only move the
// base, and the new end of the window follows. Those that may be answers to a copy start the window over
// once, and after a timeout not at all: the first copy says where the client is, the rest of the flight is on
// its way. Without this bound every window of the rest of the transfer travels twice (measured: 1335 packets
// for 715 blocks after one loss).
void Sender::on_gap(bool sent_once, TimePoint now) noexcept {
  if (!sent_once) {
    if (doubtful_used_ || !can_answer_flight(Duration::zero(), now)) return;
    doubtful_used_ = true;
  }
  window_.restart();
}

// RFC 1123 section 4.2.3.1: in lockstep a repeated ACK must not bring DATA, or two copies of everything
// travel from then on. A repeat that our own resends explain brings nothing. One that they do not explain
// comes from a client that asks again: with a window because the first block was lost, in lockstep from its
// own timer. It brings one resend until progress, and none while the flight cannot have been answered yet.
void Sender::on_repeated_ack(TimePoint now) noexcept {
  if (!window_.in_flight()) return;
  if (echoes_ > 0) {
    --echoes_;
    if (!gap_) retry_.on_echo(now - copy_at_);
    return;
  }
  const auto least = terms_.windowsize == 1 ? quickest_client_timer : Duration::zero();
  if (early_resend_used_ || !can_answer_flight(least, now)) return;
  early_resend_used_ = true;
  window_.restart();
}

void Sender::on_error(wire::ErrorCode code, TimePoint) noexcept {
  if (outcome_) return;
  const bool polite = code == wire::ErrorCode::not_defined || code == wire::ErrorCode::option_refused;
  outcome_ = polite && window_.acked() == 0 ? Outcome::probed : Outcome::client_error;
}

// Before the first ACK the address is unproven, and few resends are all it gets (no amplifier). When they are
// spent, a client that still asks is alive: its request earns one packet, not sooner than an interval after
// the last, however often it asked meanwhile.
void Sender::on_repeated_request(TimePoint now) noexcept {
  if (outcome_ || proven_ || retry_.tries() >= retry_.policy().max_tries) return;
  retry_.on_life(now);
  if (!outstanding() || may_try()) return;
  asked_again_ = true;
  on_deadline(now);
}

void Sender::on_unreachable(TimePoint) noexcept {
  if (outcome_) return;
  // A client that has the last block may close its port before its ACK has arrived, or with the ACK lost.
  outcome_ = last_ack_missing() ? Outcome::unconfirmed : Outcome::unreachable;
}

void Sender::on_deadline(TimePoint now) noexcept {
  const auto due = deadline();
  if (!due || now < *due) return;
  if (spent(now)) {
    outcome_ = last_ack_missing() ? Outcome::unconfirmed : Outcome::timed_out;
    return;
  }
  retry_.on_try();
  asked_again_ = false;
  send_again();
}

void Sender::on_sent(unsigned count, TimePoint now) noexcept {
  if (outcome_ || count == 0) return;
  if (oack_ == OackState::due)
    on_oack_sent(now);
  else
    on_blocks_sent(count, now);
  retry_.on_sent(now);
}

void Sender::on_oack_sent(TimePoint now) noexcept {
  if (retry_.tries() > 0) {
    ++counters_.resends;
    ++echoes_;
  }
  oack_ = OackState::sent;
  flight_at_ = now;
}

void Sender::on_blocks_sent(unsigned count, TimePoint now) noexcept {
  assert(!awaiting_oack_ack());
  const auto first = window_.next();
  const auto last = first + count - 1;
  const auto known = window_.highest();
  if (!window_.in_flight()) flight_at_ = now;
  if (first <= known) {
    resent_to_ = std::max(resent_to_, std::min(last, known));
    const auto again = std::min(last, known) - first + 1;
    counters_.resends += again;
    echoes_ += again;
    copy_at_ = now;
  }
  if (last > known) {
    fresh_first_ = std::max(first, known + 1);
    fresh_at_ = now;
  }
  counters_.blocks_sent += count;
  counters_.payload_bytes += window_.offset_of(last) + window_.length_of(last) - window_.offset_of(first);
  window_.on_sent(count);
}

// Asked.

std::optional<Burst> Sender::next_burst(TimePoint) const noexcept {
  if (outcome_ || oack_ == OackState::sent) return std::nullopt;
  if (oack_ == OackState::due) return Burst{Burst::Kind::oack, retry_.tries() > 0, 0, 1};
  const auto count = window_.sendable();
  if (count == 0) return std::nullopt;
  const auto first = window_.next();
  return Burst{Burst::Kind::blocks, first <= window_.highest(), first, static_cast<std::uint32_t>(count)};
}

std::optional<TimePoint> Sender::deadline() const noexcept {
  if (outcome_) return std::nullopt;
  if (outstanding()) {
    if (!may_try()) return silence_end();
    return source_is_late() ? retry_.next_try() : std::min(retry_.next_try(), silence_end());
  }
  const bool waiting_for_socket = oack_ == OackState::due || window_.sendable() > 0;
  return waiting_for_socket ? std::optional(silence_end()) : std::nullopt;
}

// Private.

bool Sender::outstanding() const noexcept {
  return awaiting_oack_ack() ? oack_ == OackState::sent : window_.in_flight();
}

// A request without options is answered with DATA, mostly far larger than the request: no timer sends that
// again to an address that has not proved itself, unless it is small. Its client asks again, as it does when
// its request was lost.
bool Sender::may_try() const noexcept {
  if (proven_ || asked_again_) return true;
  if (retry_.tries() >= retry_.policy().unproven_resends) return false;
  const std::uint64_t sends = retry_.tries() + 2U;
  return awaiting_oack_ack() || sends * (frame_overhead + window_.length_of(1)) <= unproven_bytes;
}

TimePoint Sender::silence_end() const noexcept {
  return proven_ ? retry_.silence_end() : retry_.stranger_silence_end();
}

bool Sender::last_ack_missing() const noexcept {
  return proven_ && !awaiting_oack_ack() && window_.only_last_missing();
}

// Called when a deadline has passed: is there anything left to try?
bool Sender::spent(TimePoint now) const noexcept {
  if (!outstanding()) return true;          // the socket took nothing for the whole of max_silence
  if (source_is_late()) return !may_try();  // the client has nothing to answer: not its silence
  const auto& policy = retry_.policy();
  return now >= silence_end() || retry_.tries() >= policy.max_tries ||
         (last_ack_missing() && retry_.tries() >= policy.final_block_tries);
}

bool Sender::can_answer_flight(Duration least, TimePoint now) const noexcept {
  return now - flight_at_ >= std::max(least, retry_.rtt().shortest());
}

// How long the answer to all of the flight would take, if this one took its time for each block.
Duration Sender::whole_flight(std::uint64_t block, TimePoint now) const noexcept {
  const auto share = (window_.next() - 1 - window_.acked()) / (block - window_.acked());
  return (now - flight_at_) * std::max<Duration::rep>(static_cast<Duration::rep>(share), 1);
}

void Sender::send_again() noexcept {
  if (awaiting_oack_ack())
    oack_ = OackState::due;
  else
    window_.restart();
  doubtful_used_ = true;
}

}  // namespace tftpkit::transfer
