// RFC 7440: windows, their gaps, and clients that answer every packet out of order.
#include "script.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::test;

namespace {

// A transfer with a window of this size whose OACK took one millisecond.
Script windowed(std::uint64_t blocks, const char* windowsize) {
  Script script{blocks * 512 - 1, {{"windowsize", windowsize}}};
  script.sees_oack().passes(1ms).acks(0);
  return script;
}

}  // namespace

TEST_CASE("RFC 7440 section 4: a whole window leaves at once, the next one with the ACK of its last block") {
  auto script = windowed(10, "4");
  script.sees(1, 4)
      .sees_nothing()
      .passes(1ms)
      .acks(4)
      .sees(5, 8)
      .passes(1ms)
      .acks(8)
      .sees(9, 10)
      .acks(10)
      .ends(Outcome::delivered);
}

TEST_CASE(
    "RFC 7440 section 4: an ACK inside the window moves it there and a whole window goes out from there") {
  windowed(20, "4").sees(1, 4).passes(1ms).acks(2).sees(3, 6).passes(1ms).acks(6).sees(7, 10);
}

TEST_CASE("RFC 7440: after the window started over, an ACK for what went out before is still good") {
  windowed(20, "4")
      .sees(1, 4)
      .passes(1ms)
      .acks(2)
      .sees(3, 6)
      .passes(500us)
      .acks(4)
      .sees(7, 8)
      .passes(500us)
      .acks(8)
      .sees(9, 12);
}

TEST_CASE("RFC 7440: on timeout the window goes again from the first block not acknowledged") {
  auto script = windowed(20, "4");
  script.sees(1, 4).passes(1ms).acks(4).sees(5, 8).passes(20ms).sees(5, 8);
}

TEST_CASE("issue 2: a repeated ACK before the window brings the window again, after a round trip and once") {
  auto script = windowed(20, "4");
  script.sees(1, 4).passes(1ms).acks(4).sees(5, 8);
  script.passes(900us).acks(4).sees_nothing();  // no round trip was ever that short
  script.passes(100us).acks(4).sees(5, 8);
  for (int i = 0; i < 10; ++i)
    script.passes(1ms).acks(4).sees_nothing();
  script.passes(10ms).sees(5, 8);  // afterwards the timer, 20 ms after the window left
  script.passes(1ms).acks(8).sees(9, 12);
}

TEST_CASE("clients.md annex 5: one ACK per packet out of order costs one extra window per loss") {
  auto script = windowed(715, "16");
  script.sees(1, 16).passes(1ms).acks(16).sees(17, 32).passes(1ms);
  script.acks(20).sees(21, 36);  // block 21 was lost; 22 brought this ACK, 23 to 32 bring the same
  for (int i = 0; i < 10; ++i)
    script.passes(10us).acks(20).sees_nothing();
  script.passes(1ms).acks(36).sees(37, 52);
  CHECK(script.sender().counters().resends == 12);
}

TEST_CASE("clients.md annex 5: the first block of a window lost, with an ACK for each of the others") {
  auto script = windowed(715, "16");
  script.sees(1, 16).passes(1ms).acks(16).sees(17, 32).passes(1ms);
  script.acks(16).sees(17, 32);
  for (int i = 0; i < 14; ++i)
    script.passes(100us).acks(16).sees_nothing();
  script.acks(32).sees(33, 48);
  CHECK(script.sender().counters().resends == 16);
}

TEST_CASE("issue 2: a row of ACKs inside the window, sooner than a round trip, only moves its end") {
  auto script = windowed(100, "8");
  script.sees(1, 8).passes(1ms).acks(2).sees(3, 10);
  script.passes(10us).acks(3).sees(11).passes(10us).acks(4).sees(12).passes(10us).acks(5).sees(13);
  script.passes(1ms).acks(13).sees(14, 21);
}

TEST_CASE("a gap in the window that started over brings it again after a round trip") {
  auto script = windowed(100, "8");
  script.sees(1, 8).passes(1ms).acks(2).sees(3, 10).passes(1ms).acks(5).sees(6, 13).passes(1ms).acks(13).sees(
      14, 21);
}

TEST_CASE("after a timeout the answers to copies only move the base, until a new block is acknowledged") {
  auto script = windowed(100, "4");
  script.sees(1, 4).passes(1ms).acks(4).sees(5, 8).passes(20ms).sees(5,
                                                                     8);  // 8 was lost, the client has 5 to 7
  script.passes(1ms).acks(7).sees(9, 11).acks(7).acks(7).sees_nothing();  // EDK2: an ACK for each copy
  script.passes(1ms).acks(11).sees(12, 15).passes(1ms).acks(13).sees(14, 17);
  CHECK(script.sender().counters().resends == 6);
}

TEST_CASE("of the doubtful ACKs after one gap only the first starts the window over") {
  auto script = windowed(100, "8");
  script.sees(1, 8).passes(1ms).acks(2).sees(3, 10).passes(2ms).acks(3).sees(4, 11).passes(2ms).acks(4).sees(
      12);
  script.passes(2ms).acks(5).sees(13).passes(2ms).acks(13).sees(14, 21);
}

TEST_CASE("an ACK that can mean one thing only ends the doubt: the next gaps are believed again") {
  auto script = windowed(100, "4");
  script.sees(1, 4).passes(1ms).acks(4).sees(5, 8).passes(20ms).sees(5, 8).passes(1ms).acks(8).sees(9, 12);
  script.passes(1ms).acks(12).sees(13, 16).passes(1ms).acks(13).sees(14, 17).passes(1ms).acks(15).sees(16,
                                                                                                       19);
}

TEST_CASE("RFC 6298 (5.3): an ACK that only moves the base gives what is still out a whole interval") {
  auto script = windowed(10, "8");
  script.sees(1, 8).passes(1ms).acks(2).sees(3, 10).passes(500us).acks(3).sees_nothing();
  script.passes(19999us).sees_nothing().passes(1us).sees(4, 10);
}

TEST_CASE("RFC 6298 section 3: a block that left before the last burst gives no round trip") {
  Script::Setting setting;
  setting.source_ready = false;
  Script script{512 * 8 - 1, {{"windowsize", "4"}}, setting};
  script.sees_oack().passes(5ms).acks(0).has(1024).sees(1, 2).passes(10ms).has(2048).sees(3, 4);
  script.passes(1us).acks(2);  // the answer to the first burst, 10 ms old
  CHECK(script.sender().rtt().shortest() == 5ms);
}

TEST_CASE("a window that the source has not filled is no fault of the client") {
  Script::Setting setting;
  setting.source_ready = false;
  Script script{512 * 8 - 1, {{"windowsize", "4"}}, setting};
  script.sees_oack().passes(1ms).acks(0).sees_nothing();
  CHECK_FALSE(script.sender().deadline().has_value());
  script.has(1024).sees(1, 2).quietly_passes(300s).goes_on();
  script.has(2048).sees(3, 4).passes(1ms).acks(4).sees_nothing().has(4095).sees(5, 8).acks(8).ends(
      Outcome::delivered);
}

TEST_CASE("the end of the window is what the source should have ready") {
  auto script = windowed(100, "8");
  CHECK(script.sender().first_needed_byte() == 0);
  CHECK(script.sender().last_needed_byte() == 8 * 512);
  script.sees(1, 8).passes(1ms).acks(8).sees(9, 16);
  CHECK(script.sender().first_needed_byte() == 8 * 512);
  CHECK(script.sender().last_needed_byte() == 16 * 512);
}
