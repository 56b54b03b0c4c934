// The stage manager.
#include "script.hpp"

#include <doctest/doctest.h>

namespace tftpkit::test {
namespace {

std::string at(const Here& here) {
  return std::string(here.file) + ":" + std::to_string(here.line) + ": ";
}

Sender make_sender(const std::vector<wire::Option>& options, const Script::Setting& setting, TimePoint now) {
  const wire::Request request{wire::Operation::read, "file", wire::Mode::octet, options};
  const auto agreement = transfer::negotiate(request, setting.limits);
  const bool with_oack = !transfer::oack_options(agreement, 1).empty();
  return {agreement.terms, setting.policy, with_oack, now, 42};
}

}  // namespace

Script::Script(std::uint64_t bytes, const std::vector<wire::Option>& options)
    : Script(bytes, options, Setting{}) {}

Script::Script(std::uint64_t bytes, const std::vector<wire::Option>& options, const Setting& setting)
    : bytes_(bytes), sender_(make_sender(options, setting, now_)) {
  if (setting.source_ready) sender_.on_source(bytes, true, now_);
  pump();
}

Script& Script::sees(std::uint64_t first, std::uint64_t last, Here here) {
  for (auto block = first;; ++block) {
    const bool matches = !unseen_.empty() && unseen_.front() == block;
    REQUIRE_MESSAGE(matches, at(here), "expected ", block == oack ? "the OACK" : std::to_string(block),
                    ", sent: ", pending());
    unseen_.pop_front();
    if (block == last) return *this;
  }
}

Script& Script::sees_nothing(Here here) {
  REQUIRE_MESSAGE(unseen_.empty(), at(here), "expected nothing, sent: ", pending());
  return *this;
}

Script& Script::ends(Outcome outcome, Here here) {
  nothing_unseen(here, "the end");
  REQUIRE_MESSAGE(sender_.outcome().has_value(), at(here), "goes on, expected to end as ",
                  std::string(transfer::words(outcome)));
  REQUIRE_MESSAGE(*sender_.outcome() == outcome, at(here), "ended as ",
                  std::string(transfer::words(*sender_.outcome())));
  CHECK_FALSE(sender_.next_burst(now_).has_value());
  CHECK_FALSE(sender_.deadline().has_value());
  return *this;
}

Script& Script::goes_on(Here here) {
  REQUIRE_MESSAGE(!sender_.outcome().has_value(), at(here), "ended as ",
                  std::string(transfer::words(sender_.outcome().value_or(Outcome::delivered))));
  return *this;
}

Script& Script::acks(std::uint16_t wire_block, Here here) {
  nothing_unseen(here, "an ACK");
  sender_.on_ack(wire_block, now_);
  pump();
  return *this;
}

Script& Script::sends_error(wire::ErrorCode code, Here here) {
  nothing_unseen(here, "an ERROR");
  sender_.on_error(code, now_);
  pump();
  return *this;
}

Script& Script::repeats_request(Here here) {
  nothing_unseen(here, "a repeated request");
  sender_.on_repeated_request(now_);
  pump();
  return *this;
}

Script& Script::closes_port(Here here) {
  nothing_unseen(here, "a closed port");
  sender_.on_unreachable(now_);
  pump();
  return *this;
}

Script& Script::passes(Duration time, Here here) {
  nothing_unseen(here, "time passes");
  const auto until = now_ + time;
  for (auto due = sender_.deadline(); due && *due <= until; due = sender_.deadline()) {
    REQUIRE_MESSAGE(*due >= now_, at(here), "a deadline lies in the past");
    now_ = *due;
    sender_.on_deadline(now_);
    pump();
  }
  now_ = until;
  return *this;
}

Script& Script::quietly_passes(Duration time) {
  passes(time);
  unseen_.clear();
  return *this;
}

Script& Script::has(std::uint64_t bytes_ready, Here here) {
  nothing_unseen(here, "new bytes");
  sender_.on_source(bytes_ready, bytes_ready == bytes_, now_);
  pump();
  return *this;
}

Script& Script::exchanges(std::uint64_t first, std::uint64_t last, Duration round_trip, Here here) {
  for (auto block = first; block <= last; ++block)
    sees(block, here).passes(round_trip, here).acks(sender_.wire_block(block), here);
  return *this;
}

void Script::pump() {
  while (const auto burst = sender_.next_burst(now_)) {
    const bool is_oack = burst->kind == transfer::Burst::Kind::oack;
    for (std::uint32_t i = 0; i < burst->count; ++i)
      unseen_.push_back(is_oack ? oack : burst->first + i);
    packets_ += burst->count;
    sender_.on_sent(burst->count, now_);
  }
}

void Script::nothing_unseen(const Here& here, const char* before) const {
  REQUIRE_MESSAGE(unseen_.empty(), at(here), "unseen before ", std::string(before), ": ", pending());
}

std::string Script::pending() const {
  if (unseen_.empty()) return "nothing";
  std::string list;
  for (const auto block : unseen_)
    list += (block == oack ? "OACK" : std::to_string(block)) + " ";
  return list;
}

}  // namespace tftpkit::test
