// A live receiver (our client, or a server that is sent a file) with a sender that says whatever it likes.
// The claims come from a bookkeeping of our own: which bytes were taken, which answers they deserve.
#include "transfer/receiver.hpp"

#include "input.hpp"
#include "wire/block.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace tftpkit;
using namespace std::chrono_literals;
using fuzz::claim;
using transfer::Outcome;
using transfer::Receiver;
using transfer::Reply;
using transfer::TimePoint;

const wire::Request& request() {
  static const wire::Request all{
      wire::Operation::read,
      "file",
      wire::Mode::octet,
      {{"blksize", "1428"}, {"windowsize", "8"}, {"timeout", "3"}, {"tsize", "0"}, {"rollover", "1"}}};
  return all;
}

Receiver receiver_from(fuzz::Input& input, TimePoint now) {
  const auto choice = input.byte();
  if ((choice & 1U) != 0) return {request(), {}, now, choice};
  transfer::Terms terms;
  terms.blksize = 8;
  terms.windowsize = static_cast<std::uint16_t>(1 + (choice >> 1U & 15U));
  terms.rollover = choice >> 5U & 1U;
  return {terms, {}, now, choice};
}

class Play {
 public:
  explicit Play(fuzz::Input& input) : input_(input), receiver_(receiver_from(input, now_)) {}

  void run() {
    reply();
    for (int steps = 0; !input_.empty() && steps < 2000; ++steps) {
      step();
      reply();
      claim(receiver_.bytes() == bytes_ && receiver_.blocks() == blocks_, "what was taken is counted");
    }
    end();
  }

 private:
  void step();
  void data(std::uint16_t wire_block, std::size_t length);
  void oack();
  void reply();
  void end();
  [[nodiscard]] std::uint16_t wire_block(std::uint64_t block) const {
    return wire::wire_block(block, receiver_.terms().rollover);
  }

  fuzz::Input& input_;
  TimePoint now_{1h};
  Receiver receiver_;
  std::uint64_t bytes_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t events_ = 1;
  std::uint64_t replies_ = 0;
  bool short_ = false;  // the last block is here
};

void Play::step() {
  ++events_;
  const auto what = input_.byte();
  const std::size_t whole = receiver_.terms().blksize;
  switch (what % 10) {
  case 0: data(input_.word(), input_.word()); break;
  case 1: data(wire_block(blocks_ + 1), whole); break;
  case 2: data(wire_block(blocks_ + 1), input_.byte()); break;
  case 3: data(wire_block(blocks_ + input_.byte()), whole); break;
  case 4: data(wire_block(blocks_ - std::min<std::uint64_t>(blocks_, input_.byte())), whole); break;
  case 5: oack(); break;
  case 6: now_ += 1ms * input_.word(); break;
  case 7:
    if (const auto due = receiver_.deadline()) now_ = std::max(now_, *due);
    receiver_.on_deadline(now_);
    break;
  case 8:
    for (unsigned rounds = what < 20 ? input_.word() / 8U : input_.byte(); rounds > 0; --rounds) {
      ++events_;
      data(wire_block(blocks_ + 1), whole);
      reply();
    }
    break;
  default:
    if (input_.byte() % 32 == 0) receiver_.on_error(wire::ErrorCode{input_.byte()}, now_);
    if (input_.byte() % 32 == 0) receiver_.on_unreachable(now_);
    if (input_.byte() % 32 == 0) receiver_.refuse({wire::ErrorCode::disk_full, "no room"});
  }
}

// Bytes are taken in order, once, and none after the last.
void Play::data(std::uint16_t number, std::size_t length) {
  const bool over = receiver_.outcome().has_value();
  const bool took = receiver_.on_data(number, length, now_);
  if (!took) return;
  claim(!over && !short_, "nothing is taken after the last block");
  claim(number == wire_block(blocks_ + 1), "only the next block is taken");
  claim(length <= receiver_.terms().blksize, "no block is larger than agreed");
  ++blocks_;
  bytes_ += length;
  short_ = length < receiver_.terms().blksize;
  claim((receiver_.outcome() == Outcome::delivered) == short_,
        "a short block is the end, and nothing else is");
}

void Play::oack() {
  std::vector<wire::Option> options;
  for (auto count = input_.byte() % 6U; count > 0; --count) {
    const auto& asked = request().options[input_.byte() % request().options.size()];
    options.push_back({asked.name, std::to_string(input_.word() >> (input_.byte() % 16U))});
  }
  const auto before = receiver_.terms();
  receiver_.on_oack(options, now_);
  claim(blocks_ == 0 || receiver_.terms() == before, "terms do not change under way");
}

void Play::reply() {
  unsigned replies = 0;
  while (const auto reply = receiver_.next_reply()) {
    claim(++replies <= 1, "one event brings one answer at most");
    claim(++replies_ <= events_, "answers are not more than what they answer");
    if (reply->kind == Reply::Kind::ack)
      claim(reply->wire_block == wire_block(blocks_), "an ACK is for all that is here, and for nothing else");
    if (reply->kind == Reply::Kind::error) claim(receiver_.outcome().has_value(), "an ERROR ends it");
    receiver_.on_sent(now_);
  }
}

// Nothing comes any more: it ends, and not late.
void Play::end() {
  const auto began = now_;
  unsigned steps = 0;
  while (const auto due = receiver_.deadline()) {
    claim(++steps <= 64, "tries are bounded");
    now_ = std::max(now_, *due);
    ++events_;
    receiver_.on_deadline(now_);
    reply();
  }
  claim(receiver_.outcome().has_value(), "without a deadline it is over");
  claim(now_ - began <= 1h, "silence is bounded");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Play(input).run();
  return 0;
}
