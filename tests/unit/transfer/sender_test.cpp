// The Sender as its owner sees it: bursts that leave in part, what has to stay readable, what is counted.
#include "transfer/sender.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::transfer;
using namespace std::chrono_literals;

namespace {

Terms with(std::uint16_t blksize, std::uint16_t windowsize) {
  Terms terms;
  terms.blksize = blksize;
  terms.windowsize = windowsize;
  return terms;
}

}  // namespace

TEST_CASE("a sender is small") {
  MESSAGE("sizeof(Sender) = ", sizeof(Sender));
  CHECK(sizeof(Sender) < 400);
}

TEST_CASE("asking for a burst changes nothing") {
  Sender sender(with(512, 4), {}, false, TimePoint{}, 1);
  sender.on_source(10000, true, TimePoint{});
  const auto burst = sender.next_burst(TimePoint{});
  CHECK(burst == sender.next_burst(TimePoint{} + 1h));
  CHECK(burst == Burst{Burst::Kind::blocks, false, 1, 4});
}

TEST_CASE("what the socket did not take is asked for again, and no deadline runs for nothing") {
  TimePoint now{};
  Sender sender(with(512, 4), {}, false, now, 1);
  sender.on_source(10000, true, now);
  CHECK(sender.deadline() == now + 60s);
  sender.on_sent(4, now);
  sender.on_ack(4, now);
  sender.on_sent(0, now);
  CHECK(sender.next_burst(now)->first == 5);
  CHECK(sender.deadline() == now + 60s);
  sender.on_sent(3, now);
  CHECK(sender.next_burst(now) == Burst{Burst::Kind::blocks, false, 8, 1});
  CHECK(*sender.deadline() <= now + 500ms);
  sender.on_sent(1, now);
  CHECK_FALSE(sender.next_burst(now).has_value());
}

TEST_CASE("a burst that is sent again in part goes on where it stopped and is counted once") {
  TimePoint now{};
  Sender sender(with(512, 4), {}, false, now, 1);
  sender.on_source(100'000, true, now);
  sender.on_sent(4, now);
  sender.on_ack(4, now += 1ms);
  sender.on_sent(4, now);
  sender.on_deadline(now = *sender.deadline());
  CHECK(sender.next_burst(now) == Burst{Burst::Kind::blocks, true, 5, 4});
  sender.on_sent(1, now);
  CHECK(sender.next_burst(now) == Burst{Burst::Kind::blocks, true, 6, 3});
  sender.on_sent(3, now);
  CHECK(sender.counters().resends == 4);
  CHECK(sender.counters().blocks_sent == 12);
  CHECK(sender.counters().payload_bytes == 12 * 512);
}

TEST_CASE("an ACK that arrives while a resend waits for the socket shortens it") {
  TimePoint now{};
  Sender sender(with(512, 4), {}, false, now, 1);
  sender.on_source(100'000, true, now);
  sender.on_sent(4, now);
  sender.on_ack(4, now += 1ms);
  sender.on_sent(4, now);
  sender.on_deadline(now = *sender.deadline());
  sender.on_ack(7, now);
  CHECK(sender.next_burst(now) == Burst{Burst::Kind::blocks, true, 8, 4});
}

TEST_CASE("bytes before first_needed_byte may go, and those of every block asked for may not") {
  TimePoint now{};
  Sender sender(with(1000, 8), {}, false, now, 1);
  sender.on_source(100'500, true, now);
  std::uint64_t released = 0;
  std::uint16_t acked = 0;
  while (!sender.outcome()) {
    while (const auto burst = sender.next_burst(now)) {
      for (auto block = burst->first; block < burst->first + burst->count; ++block) {
        CHECK(sender.bytes_of(block).offset >= released);
        CHECK(sender.bytes_of(block).offset + sender.bytes_of(block).length <= sender.last_needed_byte());
      }
      sender.on_sent(burst->count, now);
    }
    acked = static_cast<std::uint16_t>(acked + 5);  // always in the middle of the window
    sender.on_ack(std::min<std::uint16_t>(acked, 101), now += 1ms);
    released = sender.first_needed_byte();
  }
  CHECK(sender.outcome() == Outcome::delivered);
  CHECK(sender.acked_bytes() == 100'500);
}

TEST_CASE("an ACK before anything was sent proves nothing") {
  TimePoint now{};
  Sender plain(with(512, 1), {}, false, now, 1);
  plain.on_ack(0, now);
  CHECK_FALSE(plain.proven());
  Sender with_oack(with(512, 1), {}, true, now, 1);
  with_oack.on_ack(0, now);
  CHECK_FALSE(with_oack.proven());
  CHECK(with_oack.next_burst(now)->kind == Burst::Kind::oack);
}

TEST_CASE("a socket that takes nothing for a minute ends the transfer") {
  TimePoint now{};
  Sender sender(with(512, 1), {}, true, now, 1);
  sender.on_source(10, true, now);
  sender.on_deadline(now + 59s);
  CHECK_FALSE(sender.outcome().has_value());
  sender.on_deadline(now + 60s);
  CHECK(sender.outcome() == Outcome::timed_out);
}
