// A live sender with a client that acknowledges whatever it likes, whenever it likes, while the file comes in
// pieces and the socket takes what it wants. The claims come from a bookkeeping of our own: what was really
// sent, what was really acknowledged.
#include "transfer/sender.hpp"

#include "input.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace {

using namespace tftpkit;
using namespace std::chrono_literals;
using fuzz::claim;
using transfer::Burst;
using transfer::Outcome;
using transfer::Sender;
using transfer::TimePoint;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40U;
constexpr std::uint64_t all = ~std::uint64_t{0};

transfer::Terms terms_from(fuzz::Input& input, bool with_oack) {
  constexpr std::uint16_t sizes[] = {8, 512, 1428, 65464};
  constexpr std::uint16_t windows[] = {1, 2, 3, 4, 8, 16, 64, 65534};
  const auto choice = input.byte();
  transfer::Terms terms;
  terms.blksize = sizes[choice & 3U];
  terms.windowsize = windows[choice >> 2U & 7U];
  terms.rollover = choice >> 5U & 1U;
  if ((choice >> 6U & 1U) != 0) terms.timeout = 10ms + 10ms * input.byte();
  if (!with_oack) {  // nothing was agreed
    const auto rollover = terms.rollover;
    terms = {};
    terms.rollover = rollover;
  }
  return terms;
}

transfer::RetryPolicy policy_from(fuzz::Input& input) {
  transfer::RetryPolicy policy;
  const auto choice = input.byte();
  if ((choice & 1U) != 0) policy.initial = 1ms * (1 + input.byte());
  if ((choice & 2U) != 0) policy.min = 1ms * (1 + input.byte());
  if ((choice & 4U) != 0) policy.max = 1ms * (1 + input.byte());
  if ((choice & 8U) != 0) policy.max_silence = 100ms * (1 + input.byte());
  if ((choice & 16U) != 0) policy.max_tries = static_cast<std::uint16_t>(1 + input.byte() % 64);
  return policy;
}

class Play {
 public:
  explicit Play(fuzz::Input& input)
      : input_(input), with_oack_(input.byte() % 2 != 0), terms_(terms_from(input, with_oack_)),
        policy_(policy_from(input)), sender_(terms_, policy_, with_oack_, now_, input.byte()) {}

  void run() {
    sender_.on_source(0, false, now_);
    for (int steps = 0; !input_.empty() && steps < 2000; ++steps) {
      step();
      check();
    }
    end();
  }

 private:
  void step();
  void acknowledge(std::uint16_t wire_block);
  void acknowledge_block(std::uint64_t block) { acknowledge(sender_.wire_block(block)); }
  void run_on(unsigned rounds);
  void more_source(std::uint64_t bytes, bool last);
  void wake();
  void send(std::uint64_t at_most);
  void leave(const Burst& burst, unsigned count);
  void check() const;
  void end();

  [[nodiscard]] std::uint64_t acked() const { return sender_.first_needed_byte() / terms_.blksize; }

  fuzz::Input& input_;
  bool with_oack_;
  transfer::Terms terms_;
  transfer::RetryPolicy policy_;
  TimePoint now_{1h};
  Sender sender_;

  std::uint64_t ready_ = 0;  // bytes of the source
  bool ended_ = false;       // that is all of them
  bool oack_acked_ = false;
  bool oack_out_ = false;
  std::uint64_t highest_ = 0;  // block that ever left
  std::uint64_t packets_ = 0;
  std::uint64_t earned_ = 2;  // windows that may have left: one for each thing that may bring one
  std::uint64_t requests_ = 0;
};

void Play::step() {
  const auto what = input_.byte();
  switch (what % 16) {
  case 0: acknowledge(input_.word()); break;
  case 1: acknowledge_block(acked()); break;
  case 2: acknowledge_block(acked() + 1); break;
  case 3: acknowledge_block(acked() + input_.byte()); break;
  case 4: acknowledge_block(highest_); break;
  case 5: acknowledge_block(acked() - std::min<std::uint64_t>(acked(), input_.byte())); break;
  case 6: now_ += 1ms * input_.byte(); break;
  case 7: now_ += 1ms * input_.word(); break;
  case 8: wake(); break;
  case 9: more_source(std::uint64_t{terms_.blksize} * input_.byte(), false); break;
  case 10: more_source(input_.number(), false); break;
  case 11: more_source(input_.byte(), true); break;
  case 12: run_on(input_.byte()); break;
  case 13:
    if (input_.byte() % 16 == 0) sender_.on_error(wire::ErrorCode{input_.byte()}, now_);
    break;
  case 14:
    ++earned_;
    ++requests_;
    sender_.on_repeated_request(now_);
    break;
  default:
    if (input_.byte() % 16 == 0) sender_.on_unreachable(now_);
  }
  if (what < 128)
    send(all);
  else if (what < 224)
    send(input_.byte() % 4);
}

// Only an ACK moves the base, only forward, and only to what has left.
void Play::acknowledge(std::uint16_t wire_block) {
  const auto before = acked();
  const bool over = sender_.outcome().has_value();
  sender_.on_ack(wire_block, now_);
  if (oack_out_ && !oack_acked_ && wire_block == 0 && !over) {
    oack_acked_ = true;
    ++earned_;
  }
  const auto after = acked();
  claim(after >= before, "the base never goes back");
  if (after == before) return;
  claim(!over, "what is over does not go on");
  claim(sender_.wire_block(after) == wire_block, "the base is the block that was acknowledged");
  claim(after <= highest_, "nothing is acknowledged that never left");
  earned_ += 3;  // its own window, one for a gap behind it, one for a client that asks again
}

// A good client for a while: with large windows to where numbers begin again.
void Play::run_on(unsigned rounds) {
  for (unsigned i = 0; i < rounds && !sender_.outcome(); ++i) {
    more_source(std::uint64_t{terms_.blksize} * terms_.windowsize, false);
    send(all);
    now_ += 1ms;
    if (with_oack_ && !oack_acked_)
      acknowledge(0);
    else
      acknowledge_block(highest_);
  }
}

void Play::more_source(std::uint64_t bytes, bool last) {
  if (ended_) return;
  ready_ = std::min(ready_ + bytes, most_bytes);
  ended_ = last;
  sender_.on_source(ready_, last, now_);
}

void Play::wake() {
  const auto due = sender_.deadline();
  if (!due) return;
  now_ = std::max(now_, *due);
  ++earned_;
  sender_.on_deadline(now_);
}

void Play::send(std::uint64_t at_most) {
  std::uint64_t since_event = 0;
  while (const auto burst = sender_.next_burst(now_)) {
    claim(burst->count >= 1, "a burst has a packet");
    const auto count = std::min<std::uint64_t>(burst->count, at_most);
    if (count == 0) return;
    at_most -= count;
    since_event += count;
    claim(since_event <= terms_.windowsize + std::uint64_t{1}, "one event brings one window at most");
    leave(*burst, static_cast<unsigned>(count));
  }
}

void Play::leave(const Burst& burst, unsigned count) {
  claim(!sender_.outcome(), "nothing leaves when it is over");
  if (burst.kind == Burst::Kind::oack) {
    claim(with_oack_ && !oack_acked_ && burst.count == 1,
          "the OACK goes out alone, until it is acknowledged");
    oack_out_ = true;
  } else {
    const auto last = burst.first + count - 1;
    claim(!with_oack_ || oack_acked_, "no DATA before the OACK is acknowledged");
    claim(burst.first > acked() && last <= acked() + terms_.windowsize, "what is in flight fits the window");
    claim(burst.first <= highest_ + 1, "no block is left out");
    claim(burst.resend == (burst.first <= highest_), "a resend says so");
    const auto extent = sender_.bytes_of(last);
    claim(extent.offset + extent.length <= ready_, "only bytes are asked for that are there");
    claim(extent.length == terms_.blksize || (ended_ && extent.offset + extent.length == ready_),
          "only the last block is short");
    highest_ = std::max(highest_, last);
    packets_ += count;
  }
  sender_.on_sent(count, now_);
  const auto most = earned_ * (std::uint64_t{terms_.windowsize} + 1);
  claim(sender_.counters().blocks_sent <= most, "nothing travels twice for ever (sorcerer's apprentice)");
  if (!sender_.proven())
    claim(packets_ <= terms_.windowsize * (1 + policy_.unproven_resends + requests_),
          "an address that is not proven gets next to nothing");
}

void Play::check() const {
  claim(sender_.counters().blocks_sent == packets_, "every packet is counted");
  claim(sender_.acked_bytes() <= ready_, "not more is acknowledged than there is");
  if (!sender_.outcome()) return;
  claim(!sender_.next_burst(now_) && !sender_.deadline(), "what is over wants nothing any more");
  if (sender_.outcome() == Outcome::delivered)
    claim(ended_ && sender_.acked_bytes() == ready_, "delivered is all of it");
}

// Nobody acknowledges any more: it ends, and not late.
void Play::end() {
  more_source(0, true);
  const auto began = now_;
  const auto before = packets_;
  unsigned steps = 0;
  for (send(all); !sender_.outcome(); send(all)) {
    claim(sender_.deadline().has_value(), "who waits for the client has a deadline");
    wake();
    claim(++steps <= policy_.max_tries + 4U, "tries are bounded");
  }
  check();
  const auto silence = std::max<transfer::Duration>(policy_.max_silence, 3 * terms_.timeout.value_or(0us));
  claim(now_ - began <= silence, "silence is bounded");
  claim(packets_ - before <= (steps + std::uint64_t{1}) * terms_.windowsize, "a try is one window");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Play(input).run();
  return 0;
}
