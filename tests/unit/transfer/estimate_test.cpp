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

Retry doubled_after(Duration round_trip) {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
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

TEST_CASE("after an echo of a copy only an answer to something sent once ends the doubling") {
  auto retry = doubled_after(100ms);
  retry.on_echo();
  retry.on_doubtful_progress(100ms);
  CHECK(retry.interval() > 300ms);
  retry.on_clean_progress();
  CHECK(retry.interval() < 150ms);
  retry.on_echo();  // nothing was tried since: the network doubled something
  retry.on_try();
  retry.on_doubtful_progress(100ms);
  CHECK(retry.interval() < 150ms);
}

TEST_CASE("an answer to a copy is the first sample where there is none") {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
  retry.on_try();
  retry.on_doubtful_progress(30ms);
  CHECK(retry.interval() == 90ms);
}
