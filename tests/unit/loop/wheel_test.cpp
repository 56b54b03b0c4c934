// The timing wheel against the obvious model: a std::multimap of ticks.
#include "loop/wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

using tftpkit::loop::Wheel;
using tftpkit::loop::WheelNode;

namespace {

std::vector<WheelNode*> fire(Wheel& wheel, Wheel::Tick now) {
  std::vector<WheelNode*> fired;
  wheel.advance(now);
  while (WheelNode* node = wheel.next_due())
    fired.push_back(node);
  return fired;
}

// Drives a wheel and a model with the same random steps.
struct Pair {
  explicit Pair(std::uint64_t seed, Wheel::Tick start) : random{seed}, now{start}, wheel{start} {
    for (int count = 0; count < 300; ++count)
      nodes.push_back(std::make_unique<WheelNode>());
  }
  std::mt19937_64 random;
  Wheel::Tick now;
  Wheel wheel;
  std::vector<std::unique_ptr<WheelNode>> nodes;
  std::multimap<Wheel::Tick, WheelNode*> model;

  std::uint64_t below(std::uint64_t end) { return random() % end; }
  void forget(WheelNode* node) {
    std::erase_if(model, [node](const auto& entry) { return entry.second == node; });
  }
  // Distances of every magnitude, so that every level is used.
  Wheel::Tick some_distance() { return below((std::uint64_t{1} << below(40)) + 1); }

  void set_one() {
    WheelNode* node = nodes[below(nodes.size())].get();
    const Wheel::Tick tick = now + some_distance();
    forget(node);
    model.emplace(std::max(tick, now + 1), node);
    wheel.set(*node, tick);
  }
  void cancel_one() {
    WheelNode* node = nodes[below(nodes.size())].get();
    forget(node);
    Wheel::cancel(*node);
    REQUIRE_FALSE(node->linked());
  }
  void go_on() {
    const auto next = wheel.next_event();
    REQUIRE(next.has_value() == !model.empty());
    if (next) REQUIRE(*next <= model.begin()->first);
    now += below(2) == 0 ? some_distance() : (model.empty() ? 0 : model.begin()->first - now);
    std::vector<std::pair<Wheel::Tick, WheelNode*>> expected{model.begin(), model.upper_bound(now)};
    model.erase(model.begin(), model.upper_bound(now));
    std::vector<std::pair<Wheel::Tick, WheelNode*>> fired;
    for (WheelNode* node : fire(wheel, now))
      fired.emplace_back(node->tick(), node);
    REQUIRE(std::is_sorted(fired.begin(), fired.end(), [](auto& a, auto& b) { return a.first < b.first; }));
    std::sort(expected.begin(), expected.end());
    std::sort(fired.begin(), fired.end());
    REQUIRE(fired == expected);
  }
};

}  // namespace

TEST_CASE("the wheel fires exactly what a sorted map would fire, in the same order of ticks") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    // Also around the places where many digits of the hand turn over at once.
    const Wheel::Tick start = seed % 4 == 0   ? (std::uint64_t{1} << 36) - 500
                              : seed % 4 == 1 ? 0
                                              : seed * 7919;
    Pair pair{seed, start};
    for (int step = 0; step < 2000; ++step) {
      const auto choice = pair.below(10);
      if (choice < 6)
        pair.set_one();
      else if (choice < 8)
        pair.cancel_one();
      else
        pair.go_on();
    }
  }
}

TEST_CASE("a node fires at its tick and not one earlier") {
  for (const Wheel::Tick tick : {1001ULL, 1063ULL, 1064ULL, 1088ULL, 5096ULL, 263144ULL, 20'000'000'000ULL}) {
    CAPTURE(tick);
    Wheel wheel{1000};
    WheelNode node;
    wheel.set(node, tick);
    CHECK(fire(wheel, tick - 1).empty());
    CHECK(fire(wheel, tick) == std::vector{&node});
  }
}

TEST_CASE("stepping from event to event reaches a far node in few steps") {
  Wheel wheel{12345};
  WheelNode node;
  wheel.set(node, 12345 + 3'600'000);
  int steps = 0;
  while (node.linked()) {
    ++steps;
    const auto next = wheel.next_event();
    REQUIRE(next.has_value());
    REQUIRE(*next > wheel.now());
    fire(wheel, *next);
  }
  CHECK(wheel.now() == 12345 + 3'600'000);
  CHECK(steps <= 11);
}

TEST_CASE("a tick that has passed is due at the next tick, not at once") {
  Wheel wheel{500};
  WheelNode node;
  wheel.set(node, 3);
  CHECK(fire(wheel, 500).empty());
  CHECK(fire(wheel, 501) == std::vector{&node});
}

TEST_CASE("a node that is due but not yet taken can be cancelled, moved and destroyed") {
  Wheel wheel{0};
  WheelNode first, cancelled, moved;
  auto destroyed = std::make_unique<WheelNode>();
  for (WheelNode* node : {&first, &cancelled, &moved, destroyed.get()})
    wheel.set(*node, 10);
  wheel.advance(10);
  CHECK(wheel.next_due() == &first);
  Wheel::cancel(cancelled);
  wheel.set(moved, 20);
  destroyed.reset();
  CHECK(wheel.next_due() == nullptr);
  CHECK(fire(wheel, 20) == std::vector{&moved});
}

TEST_CASE("a node that sets itself again while firing waits for the next tick") {
  Wheel wheel{0};
  WheelNode node;
  wheel.set(node, 5);
  wheel.advance(100);
  REQUIRE(wheel.next_due() == &node);
  wheel.set(node, 7);
  CHECK(wheel.next_due() == nullptr);
  CHECK(node.tick() == 101);
}

TEST_CASE("the largest tick is a tick like others") {
  Wheel wheel{0};
  WheelNode node;
  wheel.set(node, ~std::uint64_t{0});
  CHECK(fire(wheel, ~std::uint64_t{0} - 1).empty());
  CHECK(fire(wheel, ~std::uint64_t{0}) == std::vector{&node});
}

TEST_CASE("a wheel that dies leaves its nodes free") {
  WheelNode node;
  {
    Wheel wheel{0};
    wheel.set(node, 1000);
  }
  CHECK_FALSE(node.linked());
}
