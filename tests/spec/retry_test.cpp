// RFC 6298 in spirit, RFC 2349's timeout, and the habits of firmware that decide how long and how often.
#include "script.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::test;

namespace {

Script::Setting without_jitter() {
  Script::Setting setting;
  setting.policy.jitter = 0;
  return setting;
}

}  // namespace

TEST_CASE("RFC 6298 (5.5): the interval doubles up to its bound") {
  Script script{5000, {}, without_jitter()};
  script.exchanges(1, 1, 100ms);  // SRTT 100, RTTVAR 50: 300 ms
  script.sees(2);
  for (const auto gap : {300ms, 600ms, 1200ms, 2400ms, 4800ms, 8000ms, 8000ms})
    script.passes(gap - 1ms).sees_nothing().passes(1ms).sees(2);
}

TEST_CASE("the doubled interval is spread by at most ten per cent, and differs between transfers") {
  const auto second_gap = [](std::uint64_t seed) {
    Sender sender({}, {}, false, TimePoint{}, seed);
    TimePoint now{};
    sender.on_source(100, true, now);
    sender.on_sent(1, now);
    now = *sender.deadline();
    sender.on_deadline(now);
    sender.on_sent(1, now);
    return *sender.deadline() - now;
  };
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto gap = second_gap(seed);
    CHECK(gap >= 900ms);
    CHECK(gap <= 1100ms);
    CHECK(gap == second_gap(seed));
    differs = differs || gap != second_gap(seed + 1);
  }
  CHECK(differs);
}

TEST_CASE("RFC 6298 (2.3): on a fast and steady link a loss costs the least interval, 20 ms") {
  Script script{512 * 500, {}};
  script.exchanges(1, 50, 200us).sees(51).passes(19999us).sees_nothing().passes(1us).sees(51);
}

TEST_CASE("RFC 6298 section 3 (Karn): what was sent twice says nothing about the round trip") {
  Script script{512 * 500, {}};
  script.exchanges(1, 10, 1ms);
  const auto before = script.sender().rtt().smoothed();
  script.sees(11).passes(20ms).sees(11).passes(1us).acks(11);
  CHECK(script.sender().rtt().smoothed() == before);
}

TEST_CASE("RFC 6298 section 5: a doubled interval stays until a block is answered that was sent once") {
  Script script{512 * 500, {}, without_jitter()};
  script.exchanges(1, 10, 1ms);
  script.sees(11).passes(20ms).sees(11).passes(30ms).acks(11).sees(12);  // the round trip has become 50 ms
  script.passes(39ms).sees_nothing().passes(1ms).sees(12).passes(10ms).acks(12).sees(13);
  script.passes(50ms).acks(13).sees(14);  // 80 ms were allowed: a clean sample at last
  CHECK(script.sender().rtt().smoothed() > 5ms);
}

TEST_CASE("a way that loses packets keeps the interval for five tries in lockstep") {
  Script script{512 * 500, {}, without_jitter()};
  script.exchanges(1, 50, 1ms);
  script.sees(51).passes(20ms).sees(51).passes(1ms).acks(51).sees(
      52);  // the answer came as soon as answers come
  for (const auto gap : {20ms, 20ms, 20ms, 20ms, 20ms, 20ms, 40ms, 80ms})
    script.passes(gap - 1ms).sees_nothing().passes(1ms).sees(52);
}

TEST_CASE("an echo a whole round trip after its copy makes the interval double from the first try on again") {
  Script script{512 * 500, {}, without_jitter()};
  script.exchanges(1, 50, 1ms);
  script.sees(51).passes(20ms).sees(51).passes(1ms).acks(51).sees(52);
  script.passes(20ms).sees(52).passes(2ms).acks(52).sees(53).passes(18ms).acks(52).sees_nothing();  // 20 ms
  script.passes(2ms).sees(53).passes(39ms).sees_nothing().passes(1ms).sees(53);
}

TEST_CASE("an answer that a client's own timer brought is no round trip once one comes sooner") {
  Script script{512 * 500, {}, without_jitter()};
  script.sees(1).passes(2s).acks(1).sees(2).passes(1s).acks(2);  // its first ACK 2 was lost
  CHECK(script.sender().rtt().smoothed() > 1s);
  script.sees(3).passes(1ms).acks(3).sees(4);
  CHECK(script.sender().rtt().smoothed() == 1ms);
  script.passes(20ms).sees(4);
}

TEST_CASE("RFC 2349: the client's timeout is the interval, to the millisecond, every time") {
  Script script{5000, {{"timeout", "5"}}};
  script.sees_oack().passes(1ms).acks(0).sees(1);
  for (int i = 0; i < 5; ++i)
    script.passes(4999ms).sees_nothing().passes(1ms).sees(1);
}

TEST_CASE("tftp-hpa's utimeout is an interval in microseconds") {
  Script script{5000, {{"utimeout", "50000"}}};
  script.sees_oack().acks(0).sees(1);
  for (int i = 0; i < 5; ++i)
    script.passes(49999us).sees_nothing().passes(1us).sees(1);
}

TEST_CASE("RFC 2349: with a long timeout the patience is at least three of them") {
  Script script{5000, {{"timeout", "255"}}};
  script.sees_oack()
      .passes(1ms)
      .acks(0)
      .sees(1)
      .passes(255s)
      .sees(1)
      .passes(255s)
      .sees(1)
      .goes_on()
      .passes(255s)
      .ends(Outcome::timed_out);
}

TEST_CASE("what a stranger asks for buys it no patience: 20,000 false requests must not hold their transfers "
          "for minutes") {
  Script script{5000, {{"timeout", "255"}}};
  script.sees_oack().passes(59s).goes_on().passes(1s).ends(Outcome::timed_out);
}

TEST_CASE("clients.md annex 7: a silent client is tried for longer than 40 s, and given up after a minute") {
  Script script{5000, {}};
  script.exchanges(1, 1, 1ms).sees(2).quietly_passes(59999ms).goes_on();
  const auto sends = script.packets();
  CHECK(sends >= 15);
  CHECK(sends <= 26);
  script.passes(1ms).ends(Outcome::timed_out);
}

TEST_CASE("clients.md annex 7: ROMMON is silent for 30 s after block 1 and then goes on") {
  Script script{5000, {}};
  script.sees(1).passes(10ms).acks(1).sees(2).quietly_passes(30s).acks(2).sees(3).goes_on();
}

TEST_CASE("clients.md annex 7: GRUB never asks again, our timer alone carries it over losses") {
  Script script{1024 * 20, {{"blksize", "1024"}}};
  script.sees_oack().passes(500ms).sees_oack().passes(1ms).acks(0);
  for (std::uint16_t block = 1; block <= 21; ++block) {
    script.sees(block);
    const auto again = *script.sender().deadline() - script.now();
    CHECK(again <= 1100ms);  // however long the row of losses
    script.passes(again).sees(block).passes(1ms).acks(block);
  }
  script.ends(Outcome::delivered);
}

TEST_CASE("after an outage the interval that is carried on is at most a second") {
  Script script{512 * 100, {}, without_jitter()};
  script.exchanges(1, 10, 1ms).sees(11).quietly_passes(30s).acks(11).sees(12);
  CHECK(*script.sender().deadline() - script.now() == 640ms);  // 20 ms doubled five times
}

TEST_CASE("peers.md 3: the budget of tries starts again with progress") {
  Script::Setting setting;
  setting.policy.max_tries = 3;
  Script script{512 * 20, {{"timeout", "1"}}, setting};
  script.sees_oack().passes(1ms).acks(0);
  for (std::uint16_t block = 1; block <= 20; ++block)
    script.sees(block).passes(1s).sees(block).passes(1s).sees(block).passes(1s).sees(block).acks(block);
  script.sees(21).acks(21).ends(Outcome::delivered);
}

TEST_CASE("tries without progress are counted, also while the client keeps talking") {
  Script::Setting setting;
  setting.policy.max_tries = 5;
  Script script{5000, {{"timeout", "1"}}, setting};
  script.sees_oack().passes(1ms).acks(0).sees(1);
  for (int i = 0; i < 5; ++i)
    script.passes(1s).sees(1);
  script.passes(1s).ends(Outcome::timed_out);
}

TEST_CASE("issue 2: before the first ACK two resends are all a stranger gets") {
  Script script{100, {}};
  script.sees(1).passes(500ms).sees(1).quietly_passes(1100ms);
  CHECK(script.packets() == 3);
  script.passes(58s).sees_nothing().goes_on().passes(1s).ends(Outcome::timed_out);
  CHECK(script.sender().counters().payload_bytes == 3 * 100);
  CHECK_FALSE(script.sender().proven());
}

TEST_CASE(
    "issue 6: a full block goes to a stranger once, since it is nearly ten times the smallest request") {
  Script script{50000, {}};
  script.sees(1).passes(59s).sees_nothing().goes_on().passes(1s).ends(Outcome::timed_out);
  CHECK(script.sender().counters().payload_bytes == 512);
}

TEST_CASE("issue 6: a block is small enough for resends to a stranger up to 100 bytes, for one up to 184") {
  const auto packets = [](std::uint64_t bytes) {
    return Script{bytes, {}}.sees(1).quietly_passes(59s).packets();
  };
  CHECK(packets(100) == 3);
  CHECK(packets(101) == 2);
  CHECK(packets(184) == 2);
  CHECK(packets(185) == 1);
}

TEST_CASE("issue 2: the OACK to a stranger is bounded in the same way") {
  Script script{50000, {{"blksize", "1428"}, {"windowsize", "16"}}};
  script.sees_oack().quietly_passes(59s);
  CHECK(script.packets() == 3);
  CHECK(script.sender().counters().payload_bytes == 0);
}

TEST_CASE("clients.md annex 1: a request repeated before anything was acknowledged is swallowed") {
  Script script{50000, {}};
  script.sees(1);
  for (int i = 0; i < 7; ++i)
    script.passes(55ms).repeats_request().sees_nothing();
  script.acks(1).sees(2).repeats_request().sees_nothing();
}

TEST_CASE("a stranger that keeps asking gets one packet per interval") {
  Script script{50000, {}, without_jitter()};
  script.sees(1).passes(500ms).sees_nothing().repeats_request().sees(1);
  script.passes(300ms).repeats_request().repeats_request().sees_nothing();  // the interval is 1 s now
  script.passes(699ms).sees_nothing().passes(1ms).sees(1).passes(5s).sees_nothing();
  script.repeats_request().sees(1).passes(1s).acks(1).sees(2);
}

TEST_CASE("a stranger whose OACK was resent twice gets one more for each request") {
  Script script{50000, {{"blksize", "1428"}}, without_jitter()};
  script.sees_oack().passes(500ms).sees_oack().passes(1s).sees_oack().passes(5s).sees_nothing();
  script.repeats_request()
      .sees_oack()
      .repeats_request()
      .passes(3999ms)
      .sees_nothing()
      .passes(1ms)
      .sees_oack();
}

TEST_CASE("clients.md tolerance: atftp aborts on a duplicate OACK, so only the timer sends it again") {
  Script script{5000, {{"tsize", "0"}}};
  script.sees_oack()
      .passes(100ms)
      .repeats_request()
      .sees_nothing()
      .passes(399ms)
      .sees_nothing()
      .passes(1ms)
      .sees_oack();
  script.acks(0).sees(1).passes(1ms).acks(0).sees_nothing();  // the ACK of the second OACK
}

TEST_CASE("nothing to send because the source is slow is not a timeout of the client") {
  Script::Setting setting;
  setting.source_ready = false;
  Script script{1200, {}, setting};
  CHECK_FALSE(script.sender().deadline().has_value());
  script.passes(300s).has(512).sees(1).passes(1ms).acks(1).sees_nothing();
  CHECK_FALSE(script.sender().deadline().has_value());
  script.passes(300s).acks(1).sees_nothing().has(1100).sees(2).goes_on().passes(20ms).sees(2);
  script.acks(2).has(1200).sees(3).acks(3).ends(Outcome::delivered);
}

TEST_CASE("a dead client beside a source that stalls: the sender goes on and says that it is the source that "
          "is late") {
  Script::Setting setting;
  setting.source_ready = false;
  Script script{5000, {{"windowsize", "4"}}, setting};
  script.sees_oack().passes(1ms).acks(0).has(1024).sees(1, 2).passes(1ms).acks(1).sees(2);
  script.quietly_passes(10min).goes_on();  // whoever owns the source has to end it: read_timeout
  CHECK(script.sender().source_is_late());
  CHECK(script.sender().deadline().has_value());
  script.has(5000).sees(3, 5);
  CHECK_FALSE(script.sender().source_is_late());
  script.quietly_passes(59s).goes_on().quietly_passes(1s).ends(Outcome::timed_out);
}

TEST_CASE("an end that comes after the last full block is sent as an empty block") {
  Script::Setting setting;
  setting.source_ready = false;
  Script script{1024, {}, setting};
  script.sender().on_source(1024, false, script.now());
  script.repeats_request()
      .sees(1)
      .acks(1)
      .sees(2)
      .acks(2)
      .sees_nothing()
      .goes_on()
      .has(1024)
      .sees(3)
      .acks(3)
      .ends(Outcome::delivered);
}
