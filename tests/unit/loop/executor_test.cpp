// The executor: order within a lane, caps, fairness among lanes, and an end even when a job hangs.
#include "loop/executor.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace tftpkit::loop;
using namespace std::chrono_literals;

namespace {

// A job that says when it runs and waits until it is let go.
struct Gate {
  std::promise<void> reached, open;
  std::shared_future<void> opened{open.get_future()};
  auto job() {
    return [this] {
      reached.set_value();
      opened.wait();
    };
  }
  void wait_reached() { reached.get_future().wait(); }
};

void run_to_the_end(Executor& executor) {
  CHECK(executor.shutdown(20s).joined);
}

}  // namespace

TEST_CASE("a job that stalls in a lane of quick ones does not keep those behind it") {
  Executor executor{8};
  Lane lane = executor.lane("quick", 4);
  std::promise<void> warm;
  for (int job = 0; job < 100; ++job)
    lane.submit([] {});
  lane.submit([&] { warm.set_value(); });
  warm.get_future().wait();
  Gate stalls[3];
  for (Gate& gate : stalls)
    lane.submit(gate.job());
  std::promise<void> behind;
  lane.submit([&] { behind.set_value(); });
  CHECK(behind.get_future().wait_for(20s) == std::future_status::ready);
  for (Gate& gate : stalls)
    gate.open.set_value();
  run_to_the_end(executor);
}

TEST_CASE("a lane with cap 1 runs its jobs one at a time and in order") {
  Executor executor{4};
  Lane lane = executor.lane("serial", 1);
  std::vector<int> order;
  std::atomic<int> inside{0};
  bool alone = true;
  for (int job = 0; job < 500; ++job)
    lane.submit([&, job] {
      alone = alone && ++inside == 1;
      order.push_back(job);
      --inside;
    });
  run_to_the_end(executor);
  CHECK(alone);
  REQUIRE(order.size() == 500);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("never more jobs of a lane run than its cap, and the cap is reached") {
  Executor executor{4};
  Lane lane = executor.lane("two", 2);
  Gate first, second;
  std::atomic<int> others{0};
  lane.submit(first.job());
  lane.submit(second.job());
  for (int job = 0; job < 10; ++job)
    lane.submit([&] { ++others; });
  first.wait_reached();
  second.wait_reached();
  CHECK(lane.running() == 2);
  CHECK(lane.queued() == 10);
  CHECK(executor.queued() == 10);
  CHECK(executor.running() == 2);
  CHECK(others == 0);
  first.open.set_value();
  second.open.set_value();
  run_to_the_end(executor);
  CHECK(others == 10);
}

TEST_CASE("a lane whose jobs all hang leaves threads to the others") {
  Executor executor{3};
  Lane dead = executor.lane("dead", 99);
  CHECK(dead.cap() == 2);
  Gate gates[2];
  for (auto& gate : gates)
    dead.submit(gate.job());
  for (int job = 0; job < 50; ++job)
    dead.submit([] {});
  for (auto& gate : gates)
    gate.wait_reached();
  Lane alive = executor.lane("alive", 2);
  std::promise<void> ran;
  alive.submit([&] { ran.set_value(); });
  CHECK(ran.get_future().wait_for(20s) == std::future_status::ready);
  for (auto& gate : gates)
    gate.open.set_value();
  run_to_the_end(executor);
}

TEST_CASE("lanes take turns: a long queue does not delay a short one") {
  Executor executor{1};
  Lane long_one = executor.lane("long", 1), short_one = executor.lane("short", 1);
  Gate gate;
  executor.lane("gate", 1).submit(gate.job());
  gate.wait_reached();
  std::vector<std::string> order;
  for (int job = 0; job < 4; ++job)
    long_one.submit([&] { order.emplace_back("long"); });
  for (int job = 0; job < 2; ++job)
    short_one.submit([&] { order.emplace_back("short"); });
  gate.open.set_value();
  run_to_the_end(executor);
  CHECK(order == std::vector<std::string>{"long", "short", "long", "short", "long", "long"});
}

TEST_CASE("shutdown runs what is queued, refuses what comes later and says that all is well") {
  Executor executor{2};
  Lane lane = executor.lane("a", 1);
  std::atomic<int> ran{0};
  for (int job = 0; job < 100; ++job)
    lane.submit([&] { ++ran; });
  const auto end = executor.shutdown(20s);
  CHECK(end.joined);
  CHECK(end.hanging_threads == 0);
  CHECK(end.dropped_jobs == 0);
  CHECK(ran == 100);
  CHECK_FALSE(lane.submit([&] { ++ran; }));
  CHECK(ran == 100);
}

TEST_CASE("a job that hangs does not hold up the exit; it is counted and its queue is dropped") {
  auto gate = std::make_shared<Gate>();
  auto finished = std::make_shared<std::promise<void>>();
  auto token = std::make_shared<int>(0);
  {
    Executor executor{3};
    Lane lane = executor.lane("stuck", 1);
    lane.submit([gate, finished] {
      gate->reached.set_value();
      gate->opened.wait();
      finished->set_value();
    });
    for (int job = 0; job < 5; ++job)
      lane.submit([token] {});
    gate->wait_reached();
    const auto end = executor.shutdown(0ms);
    CHECK_FALSE(end.joined);
    CHECK(end.hanging_threads == 1);
    CHECK(end.dropped_jobs == 5);
    CHECK(token.use_count() == 1);
  }
  // The thread that was let go may come back after the executor is gone.
  gate->open.set_value();
  CHECK(finished->get_future().wait_for(20s) == std::future_status::ready);
}

TEST_CASE("threads of the executor block every signal but faults") {
  Executor executor{1};
  std::promise<bool> blocked;
  executor.lane("a", 1).submit([&] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked.set_value(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1 &&
                      sigismember(&mask, SIGSEGV) == 0 && sigismember(&mask, SIGABRT) == 0);
  });
  CHECK(blocked.get_future().get());
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGTERM) == 0);
}

TEST_CASE("many threads may submit to many lanes at once and nothing is lost") {
  Executor executor{4};
  std::atomic<int> ran{0};
  std::vector<std::thread> submitters;
  for (int thread = 0; thread < 4; ++thread)
    submitters.emplace_back([&] {
      Lane lane = executor.lane("own", 2);
      for (int job = 0; job < 1000; ++job)
        lane.submit([&] { ++ran; });
    });
  for (auto& thread : submitters)
    thread.join();
  run_to_the_end(executor);
  CHECK(ran == 4000);
}
