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
