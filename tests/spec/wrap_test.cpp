// Block numbers that wrap: 5 GB at blksize 512 are more than ten million blocks, 160 times around. The source
// is synthetic: only extents are looked at.
#include "transfer/sender.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

using namespace tftpkit::transfer;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t five_gigabytes = 5'000'000'000;
constexpr std::uint64_t several_rounds = 10 * 65536 * 512;

struct Walk {
  std::uint64_t bytes = 0;
  std::uint64_t blocks = 0;
  bool in_order = true;  // extents without gap, numbers counted by hand
};

// A client that acknowledges every window; the number on the wire is kept by a counter of its own.
Walk walked(std::uint64_t bytes, std::uint16_t windowsize, std::uint8_t rollover) {
  Terms terms;
  terms.windowsize = windowsize;
  terms.rollover = rollover;
  TimePoint now{};
  Sender sender(terms, {}, false, now, 1);
  sender.on_source(bytes, true, now);
  Walk walk;
  std::uint16_t number = 0;
  while (const auto burst = sender.next_burst(now)) {
    for (auto block = burst->first; block < burst->first + burst->count; ++block) {
      number = number == 65535 ? rollover : static_cast<std::uint16_t>(number + 1);
      const auto extent = sender.bytes_of(block);
      walk.in_order = walk.in_order && extent.offset == walk.bytes && sender.wire_block(block) == number;
      walk.bytes += extent.length;
      ++walk.blocks;
    }
    sender.on_sent(burst->count, now);
    now += 100us;
    sender.on_ack(number, now);
  }
  CHECK(sender.outcome() == Outcome::delivered);
  CHECK(sender.counters().resends == 0);
  CHECK(sender.acked_bytes() == bytes);
  return walk;
}

void check_walk(std::uint64_t bytes, std::uint16_t windowsize, std::uint8_t rollover) {
  CAPTURE(windowsize);
  CAPTURE(rollover);
  const auto walk = walked(bytes, windowsize, rollover);
  CHECK(walk.in_order);
  CHECK(walk.bytes == bytes);
  CHECK(walk.blocks == bytes / 512 + 1);
}

}  // namespace

TEST_CASE("issue 2: 5 GB at blksize 512 in lockstep, 65535 followed by 0 or by 1") {
  check_walk(five_gigabytes, 1, 0);
  check_walk(five_gigabytes, 1, 1);
}

TEST_CASE("issue 2: 5 GB at blksize 512 with a window of 64, 65535 followed by 0 or by 1") {
  check_walk(five_gigabytes, 64, 0);
  check_walk(five_gigabytes, 64, 1);
}

TEST_CASE("the largest window goes around as well") {
  check_walk(several_rounds, 65534, 1);
  check_walk(several_rounds, 65535, 0);
}

TEST_CASE("a loss right at the wrap is repaired like any other") {
  for (const std::uint8_t rollover : {std::uint8_t{0}, std::uint8_t{1}}) {
    Terms terms;
    terms.windowsize = 4;
    terms.rollover = rollover;
    TimePoint now{};
    Sender sender(terms, {}, false, now, 1);
    sender.on_source(512ULL * 70000, true, now);
    while (sender.next_burst(now)->first < 65533) {
      const auto burst = *sender.next_burst(now);
      sender.on_sent(burst.count, now);
      sender.on_ack(sender.wire_block(burst.first + burst.count - 1), now += 1ms);
    }
    sender.on_sent(4, now);                         // 65533 to 65536
    sender.on_ack(65534, now += 1ms);               // 65535 was lost
    CHECK(sender.next_burst(now)->first == 65535);  // to 65538
    sender.on_sent(4, now);
    sender.on_ack(rollover == 0 ? 2 : 3, now += 1ms);  // 65538
    CHECK(sender.next_burst(now)->first == 65539);
  }
}
