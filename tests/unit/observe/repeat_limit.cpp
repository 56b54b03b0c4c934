// observe/repeat_limit: a storm becomes a few lines and a number, and no number is lost.
#include "observe/repeat_limit.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using tftpkit::observe::RepeatLimit;

namespace {
const RepeatLimit::Time start{1h};
}

TEST_CASE("the first lines of a key pass, the next do not") {
  RepeatLimit limit(2, 10s);
  CHECK(limit.admits("a", start));
  CHECK(limit.admits("a", start + 1s));
  CHECK_FALSE(limit.admits("a", start + 2s));
  CHECK(limit.admits("b", start + 2s));
}

TEST_CASE("after the window a key passes again, and what it swallowed is told once") {
  RepeatLimit limit(1, 10s);
  (void)limit.admits("a", start);
  for (int i = 0; i < 5; ++i)
    CHECK_FALSE(limit.admits("a", start + 1s));
  CHECK(limit.next_swallowed(start + 9999ms).empty());
  CHECK(limit.admits("a", start + 10s));
  const auto swallowed = limit.next_swallowed(start + 10s);
  REQUIRE(swallowed.size() == 1);
  CHECK(swallowed[0].key == "a");
  CHECK(swallowed[0].lines == 5);
  CHECK(limit.next_swallowed(start + 30s).empty());
}

TEST_CASE("the deadline is the end of the first window that swallowed something") {
  RepeatLimit limit(1, 10s);
  (void)limit.admits("a", start);
  CHECK_FALSE(limit.deadline());
  (void)limit.admits("b", start + 1s);
  (void)limit.admits("b", start + 1s);
  CHECK(limit.deadline() == start + 11s);
  (void)limit.admits("a", start + 2s);
  CHECK(limit.deadline() == start + 10s);
  CHECK(limit.next_swallowed(start + 10s).size() == 1);
  CHECK(limit.deadline() == start + 11s);
  CHECK(limit.next_swallowed(start + 11s).size() == 1);
  CHECK_FALSE(limit.deadline());
}

TEST_CASE("more keys than are kept apart share one limit") {
  RepeatLimit limit(1, 10s, 3);
  int passed = 0;
  for (int i = 0; i < 1000; ++i)
    passed += limit.admits("key" + std::to_string(i), start) ? 1 : 0;
  CHECK(passed == 4);
  const auto swallowed = limit.next_swallowed(start + 10s);
  REQUIRE(swallowed.size() == 1);
  CHECK(swallowed[0].key.empty());
  CHECK(swallowed[0].lines == 996);
}

TEST_CASE("old keys make room for new ones") {
  RepeatLimit limit(1, 10s, 2);
  for (int i = 0; i < 100; ++i)
    CHECK(limit.admits("key" + std::to_string(i), start + i * 10s));
}
