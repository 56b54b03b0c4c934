#include "transfer/retry.hpp"
#include "transfer/rtt.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

using namespace tftpkit::transfer;
using namespace std::chrono_literals;

TEST_CASE("RFC 6298 (2.2): the first sample sets SRTT and half of it as RTTVAR") {
  RttEstimator rtt;
  CHECK_FALSE(rtt.timeout().has_value());
  rtt.on_sample(100ms);
  CHECK(rtt.smoothed() == 100ms);
  CHECK(rtt.timeout() == 300ms);
}

TEST_CASE("RFC 6298 (2.3): later samples weigh an eighth and a quarter") {
  RttEstimator rtt;
  rtt.on_sample(100ms);
  rtt.on_sample(180ms);
  CHECK(rtt.smoothed() == 110ms);
  CHECK(rtt.timeout() == 110ms + 4 * 57500us);
}

TEST_CASE("a steady round trip draws the timeout near to it") {
  RttEstimator rtt;
  for (int i = 0; i < 100; ++i)
    rtt.on_sample(100ms);
  CHECK(*rtt.timeout() < 101ms);
}

TEST_CASE("the shortest sample is kept, and one below zero counts as zero") {
  RttEstimator rtt;
  rtt.on_sample(30ms);
  rtt.on_sample(10ms);
  rtt.on_sample(50ms);
  CHECK(rtt.shortest() == 10ms);
  rtt.on_sample(-5ms);
  CHECK(rtt.shortest() == 0ms);
}

TEST_CASE("an answer far sooner than the round trip believed begins the estimate anew") {
  RttEstimator rtt;
  rtt.on_sample(1s);  // a client said its lost answer again
  rtt.on_sample(1s);
  rtt.on_sample(200ms);  // not far enough
  CHECK(rtt.smoothed() == 900ms);
  rtt.on_sample(2ms);
  CHECK(rtt.timeout() == 6ms);
}

TEST_CASE("an estimate that may well be right is begun anew for a row of short answers, not for one") {
  RttEstimator rtt;
  for (int window = 0; window < 20; ++window)
    rtt.on_sample(300ms, 300ms, 1s);
  rtt.on_sample(10ms, 10ms, 1s);
  rtt.on_sample(300ms, 300ms, 1s);
  rtt.on_sample(10ms, 10ms, 1s);
  rtt.on_sample(10ms, 10ms, 1s);
  CHECK(*rtt.timeout() > 300ms);
  rtt.on_sample(10ms, 10ms, 1s);
  CHECK(*rtt.timeout() == 30ms);
}

TEST_CASE("a round trip that goes up and down all the time begins anew once in sixteen samples") {
  RttEstimator rtt;
  rtt.on_sample(100ms);
  rtt.on_sample(1ms);
  CHECK(rtt.timeout() == 3ms);
  for (int i = 0; i < 13; ++i)
    rtt.on_sample(100ms);
  rtt.on_sample(1ms);
  CHECK(rtt.timeout() > 100ms);
  rtt.on_sample(100ms);
  rtt.on_sample(1ms);
  CHECK(rtt.timeout() == 3ms);
}

TEST_CASE("an answer for a part of a flight says nothing against the whole round trip") {
  RttEstimator rtt;
  rtt.on_sample(80ms);
  rtt.on_sample(5ms, 80ms, 0s);
  CHECK(rtt.timeout() > 80ms);
}

TEST_CASE("answers soon after a copy make the estimate be forgotten: two, or one as quick as any before") {
  RttEstimator rtt;
  rtt.on_sample(1s);
  rtt.on_hint(2ms, 0ms);
  CHECK(rtt.sampled());
  rtt.on_hint(3ms, 0ms);
  CHECK_FALSE(rtt.sampled());
  for (int i = 0; i < 16; ++i)
    rtt.on_sample(1s);
  rtt.on_hint(2ms, 0ms);
  rtt.forget_hints();  // an echo came late
  rtt.on_hint(2ms, 0ms);
  CHECK(rtt.sampled());
  rtt.on_hint(2ms, 2s);  // an estimate so short is kept
  CHECK(rtt.sampled());
}

TEST_CASE("an answer soon after a copy counts at once when answers were as quick before") {
  RttEstimator rtt;
  rtt.on_sample(2ms);
  for (int i = 0; i < 20; ++i)
    rtt.on_sample(1s);
  rtt.on_hint(2ms, 0ms);
  CHECK_FALSE(rtt.sampled());
}

TEST_CASE("a policy whose bounds are narrow is kept to, with and without doubling") {
  RetryPolicy policy;
  policy.min = policy.max = policy.initial = 70ms;
  Retry retry(policy, std::nullopt, TimePoint{}, 1);
  for (int i = 0; i < 5; ++i) {
    CHECK(retry.interval() == 70ms);
    retry.on_try();
  }
  retry.on_sample(1ms);
  retry.on_clean_progress();
  CHECK(retry.interval() == 70ms);
}

namespace {

Retry doubled_after(Duration round_trip, bool windows = false) {
  Retry retry({}, std::nullopt, TimePoint{}, 1, windows);
  for (int i = 0; i < 20; ++i)
    retry.on_sample(round_trip);
  retry.on_clean_progress();
  retry.on_try();
  retry.on_try();
  return retry;
}

}  // namespace

TEST_CASE("an answer to a copy ends the doubling only as soon after it as answers come") {
  for (const auto& [since_copy, ends] : std::initializer_list<std::pair<Duration, bool>>{
           {99ms, false}, {100ms, true}, {104ms, true}, {110ms, false}}) {
    CAPTURE(since_copy.count());
    auto retry = doubled_after(100ms);
    retry.on_doubtful_progress(since_copy);
    CHECK((retry.interval() < 150ms) == ends);
  }
}

TEST_CASE("after an echo that came late one answer to a copy does not end the doubling, the second does") {
  auto retry = doubled_after(100ms);
  retry.on_echo(250ms);
  retry.on_doubtful_progress(100ms);
  CHECK(retry.interval() > 300ms);
  retry.on_doubtful_progress(100ms);
  CHECK(retry.interval() < 150ms);
}

TEST_CASE(
    "in lockstep an echo as soon after its copy as answers come says that the round trip has not grown") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    auto retry = doubled_after(100ms, windows);
    retry.on_echo(100ms);
    retry.on_doubtful_progress(100ms);
    CHECK((retry.interval() < 150ms) == !windows);  // with windows it says nothing: several copies were sent
  }
}

TEST_CASE("where the way has shown that it loses packets, lockstep keeps its interval for five tries") {
  for (const bool windows : {false, true}) {
    CAPTURE(windows);
    auto retry = doubled_after(100ms, windows);
    retry.on_doubtful_progress(100ms);
    retry.on_progress(TimePoint{});
    for (int i = 0; i < 5; ++i)
      retry.on_try();
    CHECK((retry.interval() < 150ms) == !windows);
    retry.on_try();
    CHECK(retry.interval() > 150ms);
  }
}

TEST_CASE("an echo that came late makes the first try double again") {
  auto retry = doubled_after(100ms);
  retry.on_doubtful_progress(100ms);
  retry.on_try();
  CHECK(retry.interval() < 150ms);
  retry.on_echo(250ms);
  retry.on_try();
  CHECK(retry.interval() > 150ms);
}

TEST_CASE("an answer to something sent once ends the doubling also after an echo that came late") {
  auto retry = doubled_after(100ms);
  retry.on_echo(250ms);
  retry.on_clean_progress();
  CHECK(retry.interval() < 150ms);
  retry.on_echo(250ms);  // nothing was tried since: the network doubled something
  retry.on_try();
  retry.on_doubtful_progress(100ms);
  CHECK(retry.interval() < 150ms);
}

TEST_CASE("a guess lasts until the first sample, and does not say how soon answers can come") {
  RttEstimator rtt;
  rtt.guess(100ms);
  CHECK(rtt.timeout() == 300ms);
  CHECK(rtt.shortest() == 0ms);
  rtt.on_sample(60ms);
  CHECK(rtt.timeout() == 180ms);
  CHECK(rtt.shortest() == 60ms);
}

TEST_CASE("an answer to a copy that took longer than the first interval is no guess") {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
  retry.on_try();
  retry.on_doubtful_progress(1s);
  CHECK_FALSE(retry.rtt().sampled());
}

TEST_CASE("an answer to a copy is the first sample where there is none") {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
  retry.on_try();
  retry.on_doubtful_progress(30ms);
  CHECK(retry.interval() == 90ms);
}
