#include "transfer/retry.hpp"
#include "transfer/rtt.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("an answer is prompt when it fits what was sent last at the round trip measured before") {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
  const TimePoint sent{10s};
  retry.on_sent(sent);
  CHECK_FALSE(retry.is_prompt(sent + 2ms));  // nothing was measured yet
  retry.on_sample(2ms);
  CHECK_FALSE(retry.is_prompt(sent + 1ms));  // too soon: it answers an older copy
  CHECK(retry.is_prompt(sent + 2ms));
  CHECK(retry.is_prompt(sent + 20ms));
  CHECK_FALSE(retry.is_prompt(sent + 21ms));  // later than the interval: the round trip has grown
}

TEST_CASE("a prompt answer is judged by the interval that is not doubled") {
  Retry retry({}, std::nullopt, TimePoint{}, 1);
  retry.on_sample(2ms);
  for (int i = 0; i < 5; ++i)
    retry.on_try();
  const TimePoint sent{10s};
  retry.on_sent(sent);
  CHECK(retry.interval() > 400ms);
  CHECK_FALSE(retry.is_prompt(sent + 100ms));
}
