// RFC 1350 and RFC 1123 section 4.2: lockstep, its end, its losses, and Sorcerer's Apprentice.
#include "script.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::test;
using tftpkit::wire::ErrorCode;

namespace {

// Our own timer stays out of it for a second.
Script::Setting patient() {
  Script::Setting setting;
  setting.policy.min = 1s;
  return setting;
}

}  // namespace

TEST_CASE("RFC 1350 section 2: without options DATA 1 is the answer, at once") {
  Script{100, {}}.sees(1).acks(1).ends(Outcome::delivered);
}

TEST_CASE("RFC 1350 section 2: the next block leaves when the one before is acknowledged, not earlier") {
  Script{1300, {}}.sees(1).sees_nothing().acks(1).sees(2).sees_nothing().acks(2).sees(3).acks(3).ends(
      Outcome::delivered);
}

TEST_CASE("RFC 1350 section 6: a file of exactly n blocks ends with an empty one") {
  Script script{1024, {}};
  script.sees(1).acks(1).sees(2).acks(2).sees(3);
  CHECK(script.sender().bytes_of(2) == tftpkit::transfer::Extent{512, 512});
  CHECK(script.sender().bytes_of(3) == tftpkit::transfer::Extent{1024, 0});
  script.acks(3).ends(Outcome::delivered);
  CHECK(script.sender().acked_bytes() == 1024);
}

TEST_CASE("RFC 1350 section 6: an empty file is one empty block") {
  Script script{0, {}};
  CHECK(script.sender().bytes_of(1).length == 0);
  script.sees(1).acks(1).ends(Outcome::delivered);
}

TEST_CASE("clients.md tolerance: iPXE answers an empty file with ACK 0, which is no failure") {
  Script{0, {{"tsize", "0"}}}
      .sees_oack()
      .passes(1ms)
      .acks(0)
      .sees(1)
      .passes(1ms)
      .acks(0)
      .sees_nothing()
      .quietly_passes(60s)
      .ends(Outcome::unconfirmed);
  Script{0, {{"tsize", "0"}}}.sees_oack().passes(1ms).acks(0).sees(1).passes(1ms).acks(0).closes_port().ends(
      Outcome::unconfirmed);
}

TEST_CASE("RFC 1350 section 2: an unanswered block is sent again after the initial interval") {
  Script{100, {}}.sees(1).passes(499ms).sees_nothing().passes(1ms).sees(1).acks(1).ends(Outcome::delivered);
}

TEST_CASE(
    "RFC 1123 section 4.2.3.1: a delayed block does not double the traffic for the rest of the transfer") {
  Script script{512 * 1000, {}};
  script.exchanges(1, 10, 10ms).sees(11).passes(60ms).sees(11);  // the first copy was only late
  script.acks(11).sees(12).passes(1ms).acks(11).sees_nothing();  // the second copy's ACK
  for (std::uint16_t block = 12; block < 1000; ++block)
    script.passes(10ms).acks(block).sees(block + 1U).passes(1ms).acks(block).sees_nothing();
  CHECK(script.sender().counters().resends == 1);
}

TEST_CASE("RFC 1123 section 4.2.3.1: a network that doubles every packet does not make us send one twice") {
  Script script{512 * 200, {}};
  script.sees(1);
  for (std::uint16_t block = 1; block <= 200; ++block) {
    script.passes(5ms).acks(block).sees(block + 1U);
    for (int copy = 0; copy < 3; ++copy)
      script.passes(100us).acks(block).sees_nothing();
  }
  CHECK(script.sender().counters().resends == 0);
  script.acks(201).ends(Outcome::delivered);
}

TEST_CASE("RFC 1123 section 4.2.3.1: four repeated ACKs in a row bring no copy") {
  Script script{5000, {}};
  script.exchanges(1, 1, 20ms).sees(2);
  for (int i = 0; i < 4; ++i)
    script.acks(1).sees_nothing();
}

TEST_CASE("a client that asks again by its own timer gets the lost block at once, but only once") {
  Script script{5000, {}, patient()};
  script.exchanges(1, 3, 50ms).sees(4).passes(100ms).acks(3).sees(4);
  for (int i = 0; i < 5; ++i)
    script.passes(60ms).acks(3).sees_nothing();
  script.acks(4).sees(5);
}

TEST_CASE("an early resend of one block does not use up that of a later one") {
  Script script{5000, {}, patient()};
  script.exchanges(1, 3, 50ms).sees(4).passes(100ms).acks(3).sees(4).passes(50ms).acks(4);
  script.exchanges(5, 5, 50ms).sees(6).passes(100ms).acks(5).sees(6);
}

TEST_CASE("an ACK repeated sooner than any round trip ever was brings nothing") {
  Script script{5000, {}, patient()};
  script.exchanges(1, 3, 50ms).sees(4).passes(49ms).acks(3).sees_nothing().passes(1ms).acks(3).sees(4);
}

TEST_CASE("an ACK explained by our own timed resend brings nothing") {
  Script script{5000, {{"timeout", "1"}}};
  script.sees_oack().passes(1ms).acks(0).sees(1).passes(1s).sees(1).passes(1ms).acks(1).sees(2);
  script.passes(100ms).acks(1).sees_nothing();  // both copies of 1 arrived, both were acknowledged
  script.passes(100ms).acks(1).sees(2);         // this one is a third: the client asks
}

TEST_CASE("peers.md 2, 4: an ACK for a block not yet sent changes nothing") {
  Script script{512 * 70000ULL, {}};
  script.exchanges(1, 2, 10ms).sees(3);
  for (const auto number : std::vector<std::uint16_t>{4, 5, 60000, 65535})
    script.acks(number).sees_nothing();
  script.acks(3).sees(4);
}

TEST_CASE("an older ACK changes nothing, and is no sign that something was lost") {
  Script script{512 * 100, {}};
  script.exchanges(1, 5, 20ms).sees(6).passes(25ms);
  for (const auto number : std::vector<std::uint16_t>{0, 1, 2, 3, 4})
    script.acks(number).sees_nothing();
  script.acks(6).sees(7);
}

TEST_CASE("RFC 1350 section 7: an ERROR ends the transfer at once and nothing follows") {
  Script script{5000, {}};
  script.exchanges(1, 2, 10ms).sees(3).sends_error(ErrorCode::disk_full).ends(Outcome::client_error);
  script.passes(100s).acks(3).ends(Outcome::client_error);
}

TEST_CASE("RFC 1350 section 6: the last ACK may be lost; ten resends later it counts as unconfirmed") {
  Script script{600, {}};
  script.exchanges(1, 1, 1ms).sees(2).quietly_passes(59s).ends(Outcome::unconfirmed);
  CHECK(script.sender().counters().resends == 10);
}

TEST_CASE("a client that closes its port after the last block has it; earlier it is gone") {
  Script{600, {}}.exchanges(1, 1, 1ms).sees(2).closes_port().ends(Outcome::unconfirmed);
  Script{6000, {}}.exchanges(1, 1, 1ms).sees(2).closes_port().ends(Outcome::unreachable);
  Script{100, {}}.sees(1).closes_port().ends(Outcome::unreachable);
}
