// The receiving end.
#include "transfer/receiver.hpp"

#include "wire/block.hpp"

#include <utility>
#include <variant>

namespace tftpkit::transfer {

Receiver::Receiver(const wire::Request& request, const RetryPolicy& policy, TimePoint now, std::uint64_t seed)
    : request_(request), retry_(policy, std::nullopt, now, seed) {
  terms_.mode = request.mode;
}

Receiver::Receiver(const Terms& terms, const RetryPolicy& policy, TimePoint now, std::uint64_t seed)
    : terms_(terms), retry_(policy, terms.timeout, now, seed) {}

void Receiver::on_oack(std::span<const wire::Option> options, TimePoint now) {
  if (outcome_ || received_ > 0) return;
  retry_.on_life(now);
  if (opening_) {
    auto accepted = accept_oack(request_, options);
    if (auto* why = std::get_if<wire::Reject>(&accepted)) return refuse(std::move(*why));
    terms_ = std::get<Accepted>(accepted).terms;
    tsize_ = std::get<Accepted>(accepted).tsize;
    opening_ = false;
    retry_.on_progress(now);
  }
  due_ = Due::ack;  // a repeated OACK says that ACK 0 was lost
}

bool Receiver::on_data(std::uint16_t wire_block, std::size_t length, TimePoint now) noexcept {
  if (outcome_ && *outcome_ != Outcome::delivered) return false;
  const auto ahead =
      wire::wire_distance(wire::wire_block(received_, terms_.rollover), wire_block, terms_.rollover);
  const auto next = wire::wire_block(received_ + 1, terms_.rollover);
  if (outcome_ || wire_block != next) {
    on_other_block(ahead);
    return false;
  }
  if (length > terms_.blksize) {
    refuse({wire::ErrorCode::illegal_operation, "a DATA packet is longer than the block size"});
    return false;
  }
  on_next_block(length, now);
  return true;
}

void Receiver::on_next_block(std::size_t length, TimePoint now) noexcept {
  // Only the first block after an ACK that was sent once is an answer whose question is known (Karn).
  if (received_ == acked_ && !opening_ && !ack_again_ && ahead_ == 0) {
    retry_.on_sample(now - retry_.sent_at());
    retry_.on_clean_progress();
  } else if (received_ == acked_ && !opening_) {
    retry_.on_doubtful_progress(now - retry_.sent_at());
  }
  opening_ = false;
  ++received_;
  bytes_ += length;
  ahead_ = 0;
  retry_.on_life(now);
  retry_.on_progress(now);
  const bool last = length < terms_.blksize;
  if (last) outcome_ = Outcome::delivered;
  if (last || received_ - acked_ >= terms_.windowsize) {
    due_ = Due::ack;
    ack_again_ = false;
  }
}

// A repeat of the block acknowledged last says that this ACK was lost: it is sent again, once per repeat.
// Ahead with a window: a gap, reported once per flight; a block nearer than the one before it belongs to the
// next flight.
void Receiver::on_other_block(std::uint32_t ahead) noexcept {
  if (opening_) return;
  if (ahead == 0) {
    if (received_ != acked_ || received_ == 0 || dally_over_) return;
    retry_.on_echo(Duration::max());
    due_ = Due::ack;
    ack_again_ = true;
    return;
  }
  if (outcome_ || terms_.windowsize == 1 || ahead > terms_.windowsize) return;
  if (ahead_ == 0 || ahead <= ahead_) {
    due_ = Due::ack;
    ack_again_ = true;
  }
  ahead_ = ahead;
}

void Receiver::on_error(wire::ErrorCode, TimePoint) noexcept {
  if (!outcome_) outcome_ = Outcome::client_error;
  due_ = Due::nothing;
  dally_over_ = true;
}

void Receiver::on_unreachable(TimePoint) noexcept {
  if (!outcome_) outcome_ = Outcome::unreachable;
  due_ = Due::nothing;
  dally_over_ = true;
}

void Receiver::on_deadline(TimePoint now) noexcept {
  const auto due = deadline();
  if (!due || now < *due) return;
  if (outcome_) {
    dally_over_ = true;
  } else if (now >= retry_.silence_end() || retry_.tries() >= retry_.policy().max_tries) {
    outcome_ = Outcome::timed_out;
    due_ = Due::nothing;
  } else {
    retry_.on_try();
    due_ = opening_ ? Due::opening : Due::ack;
    ack_again_ = true;
  }
}

void Receiver::on_sent(TimePoint now) noexcept {
  if (due_ == Due::ack) acked_ = received_;
  due_ = Due::nothing;
  retry_.on_sent(now);
}

void Receiver::refuse(wire::Reject why) {
  if (outcome_) return;
  refusal_ = std::move(why);
  outcome_ = Outcome::refused;
  due_ = Due::error;
}

std::optional<Reply> Receiver::next_reply() const noexcept {
  switch (due_) {
  case Due::nothing: return std::nullopt;
  case Due::opening: return Reply{Reply::Kind::opening, 0};
  case Due::ack: return Reply{Reply::Kind::ack, wire::wire_block(received_, terms_.rollover)};
  case Due::error: return Reply{Reply::Kind::error, 0};
  }
  return std::nullopt;
}

std::optional<TimePoint> Receiver::deadline() const noexcept {
  if (outcome_) {
    const bool dallies = *outcome_ == Outcome::delivered && !dally_over_;
    return dallies ? std::optional(retry_.sent_at() + dally()) : std::nullopt;
  }
  return std::min(retry_.next_try(), retry_.silence_end());
}

}  // namespace tftpkit::transfer
