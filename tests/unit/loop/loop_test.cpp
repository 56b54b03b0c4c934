// Loop, FdWatch, Deadlines and SignalWatch on a real libuv loop.
#include "loop/deadlines.hpp"
#include "loop/fd.hpp"
#include "loop/limits.hpp"
#include "loop/loop.hpp"
#include "loop/poller.hpp"
#include "loop/signals.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tftpkit::loop;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  Fd read, write;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    read = Fd{ends[0]};
    write = Fd{ends[1]};
  }
  void put() const { REQUIRE(::write(write.get(), "x", 1) == 1); }
  void take() const {
    char byte = 0;
    REQUIRE(::read(read.get(), &byte, 1) == 1);
  }
};

// Ends a test that would otherwise run for ever.
struct Watchdog {
  explicit Watchdog(Loop& loop) : the_loop{loop}, deadlines{loop} { deadlines.set_after(deadline, 20s); }
  ~Watchdog() { deadlines.cancel(deadline); }
  Loop& the_loop;
  Deadlines deadlines;
  Deadline deadline{[](void* self) {
                      static_cast<Watchdog*>(self)->the_loop.stop();
                      FAIL("the loop did not end in 20 s");
                    },
                    this};
};

}  // namespace

TEST_CASE("work posted before run, from other threads and from itself all runs, in order per poster") {
  Loop loop;
  const Watchdog watchdog{loop};
  std::vector<int> order;
  int from_threads = 0;
  const auto stop_when_all_ran = [&] {
    if (from_threads == 4000 && order.size() == 3) loop.stop();
  };
  loop.post([&] { order.push_back(1); });
  loop.post([&] {
    order.push_back(2);
    loop.post([&] {
      order.push_back(3);
      stop_when_all_ran();
    });
  });
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (int count = 0; count < 1000; ++count)
        loop.post([&] {
          CHECK(loop.on_own_thread());
          ++from_threads;
          stop_when_all_ran();
        });
    });
  loop.run();
  for (auto& thread : threads)
    thread.join();
  CHECK(order == std::vector{1, 2, 3});
  CHECK(from_threads == 4000);
}

TEST_CASE("stop before run ends the run after a turn, and the loop can run again") {
  Loop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  loop.run();
  CHECK(ran);
  ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  CHECK(ran);
}

TEST_CASE("a loop that never ran destroys what was posted") {
  const auto token = std::make_shared<int>(0);
  {
    Loop loop;
    loop.post([token] {});
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("time stands still within a turn until it is refreshed, and goes on with the next turn") {
  Loop loop;
  std::optional<TimePoint> before;
  loop.post([&] {
    before = loop.now();
    while (Clock::now() == *before) {
    }
    CHECK(loop.now() == *before);
    loop.refresh_now();
    CHECK(loop.now() > *before);
    before = loop.now();
    loop.post([&] {
      CHECK(loop.now() > *before);
      loop.stop();
    });
  });
  loop.run();
}

TEST_CASE("a watch tells readable, can be told to stop and to go on") {
  Loop loop;
  const Watchdog watchdog{loop};
  const Pipe pipe;
  int calls = 0;
  FdWatch watch{loop, pipe.read.get(), FdWatch::Want::read, [&](Ready ready) {
                  CHECK(ready.readable);
                  CHECK_FALSE(ready.writable);
                  pipe.take();
                  if (++calls == 1) {
                    watch.want(FdWatch::Want::nothing);
                    pipe.put();
                    loop.post([&] {
                      CHECK(calls == 1);
                      watch.want(FdWatch::Want::read);
                    });
                  } else {
                    loop.stop();
                  }
                }};
  pipe.put();
  loop.run();
  CHECK(calls == 2);
  CHECK(watch.wanted() == FdWatch::Want::read);
}

TEST_CASE("a watch and its descriptor may be destroyed inside the watch's callback") {
  Loop loop;
  const Watchdog watchdog{loop};
  struct Session {
    Pipe pipe;
    std::string captured = "a string that is too long to live inside the function object itself";
    FdWatch watch;
  };
  auto session = std::make_unique<Session>();
  int calls = 0;
  session->watch =
      FdWatch{loop, session->pipe.read.get(), FdWatch::Want::read, [&, copy = session->captured](Ready) {
                ++calls;
                session.reset();
                CHECK(copy.starts_with("a string"));
                loop.post([&] { loop.stop(); });
              }};
  session->pipe.put();
  session->pipe.put();
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("closing one ready watch in another's callback keeps it silent, also when the number is reused") {
  Loop loop;
  const Watchdog watchdog{loop};
  std::array<std::optional<Pipe>, 2> pipes;
  std::array<FdWatch, 2> watches;
  int calls = 0;
  for (std::size_t index = 0; index < 2; ++index) {
    pipes[index].emplace();
    pipes[index]->put();
    watches[index] = FdWatch{loop, pipes[index]->read.get(), FdWatch::Want::read, [&, index](Ready) {
                               ++calls;
                               const std::size_t other = 1 - index;
                               watches[other].close();
                               pipes[other].emplace();  // the same numbers again, nothing to read
                               watches[other] = FdWatch{loop, pipes[other]->read.get(), FdWatch::Want::read,
                                                        [](Ready) { FAIL("nothing was written"); }};
                               watches[index].close();
                               loop.post([&] { loop.post([&] { loop.stop(); }); });
                             }};
  }
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("a regular file cannot be watched and says so") {
  Loop loop;
  const Fd file{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  CHECK_THROWS_AS(FdWatch(loop, file.get(), FdWatch::Want::read, [](Ready) {}), std::system_error);
}

TEST_CASE("deadlines come in order, never early, and only once") {
  Loop loop;
  const Watchdog watchdog{loop};
  Deadlines deadlines{loop};
  struct Late {
    Late(Loop& the_loop, std::vector<int>& the_order, int the_number, TimePoint the_time)
        : loop{the_loop}, order{the_order}, number{the_number}, when{the_time} {}
    Loop& loop;
    std::vector<int>& order;
    int number;
    TimePoint when;
    Deadline deadline = Deadline::calls<&Late::on_deadline>(this);
    void on_deadline() {
      CHECK(Clock::now() >= when);
      order.push_back(number);
    }
  };
  std::vector<int> order;
  std::vector<std::unique_ptr<Late>> all;
  const TimePoint start = loop.now();
  for (const int delay_ms : {30, 10, 70, 20, 0})
    all.push_back(std::make_unique<Late>(loop, order, delay_ms, start + std::chrono::milliseconds{delay_ms}));
  for (auto& late : all)
    deadlines.set(late->deadline, late->when);
  Late last{loop, order, 100, start + 100ms}, cancelled{loop, order, -1, start + 15ms};
  struct Stop {
    Loop* loop;
    Deadline deadline = Deadline::calls<&Stop::on_deadline>(this);
    void on_deadline() { loop->stop(); }
  } stop{&loop};
  deadlines.set(last.deadline, last.when);
  deadlines.set(cancelled.deadline, cancelled.when);
  deadlines.cancel(cancelled.deadline);
  deadlines.set(stop.deadline, start + 110ms);
  loop.run();
  CHECK(order == std::vector{0, 10, 20, 30, 70, 100});
  CHECK_FALSE(last.deadline.is_set());
}

TEST_CASE("a deadline may set itself again and destroy itself in its own callback") {
  Loop loop;
  const Watchdog watchdog{loop};
  Deadlines deadlines{loop};
  struct Session {
    Session(Loop& the_loop, Deadlines& the_deadlines) : loop{the_loop}, deadlines{the_deadlines} {}
    Loop& loop;
    Deadlines& deadlines;
    int calls = 0;
    std::unique_ptr<Session>* self = nullptr;
    Deadline deadline = Deadline::calls<&Session::on_deadline>(this);
    void on_deadline() {
      if (++calls < 5) return deadlines.set_after(deadline, 0ms);
      loop.stop();
      self->reset();
    }
  };
  auto session = std::make_unique<Session>(loop, deadlines);
  session->self = &session;
  deadlines.set_after(session->deadline, 1ms);
  loop.run();
  CHECK(session == nullptr);
}

TEST_CASE("50,000 deadlines at random times are all called") {
  Loop loop;
  const Watchdog watchdog{loop};
  Deadlines deadlines{loop};
  struct Count {
    Count(int* the_count, Loop* the_loop) : left{the_count}, loop{the_loop} {}
    int* left;
    Loop* loop;
    Deadline deadline = Deadline::calls<&Count::on_deadline>(this);
    void on_deadline() {
      if (--*left == 0) loop->stop();
    }
  };
  int left = 50'000;
  std::mt19937 random{42};
  std::vector<std::unique_ptr<Count>> all;
  for (int count = 0; count < 50'000; ++count) {
    all.push_back(std::make_unique<Count>(&left, &loop));
    deadlines.set_after(all.back()->deadline, 5s);
    deadlines.set_after(all.back()->deadline, std::chrono::microseconds{random() % 100'000});
  }
  loop.run();
  CHECK(left == 0);
}

TEST_CASE("a signal becomes an event on the loop") {
  Loop loop;
  const Watchdog watchdog{loop};
  int calls = 0;
  std::optional<SignalWatch> watch;
  watch.emplace(loop, SIGUSR1, [&] {
    ++calls;
    watch.reset();
    loop.stop();
  });
  REQUIRE(::raise(SIGUSR1) == 0);
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("the limit of open files is raised to the hard limit") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit lower{before.rlim_max / 2, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
  const auto raised = raise_open_files_limit(100);
  CHECK(raised.now == before.rlim_max);
  CHECK(raised.hard_before == before.rlim_max);
  rlimit after{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
}

TEST_CASE("the limit of open files goes beyond the hard limit exactly where the process may") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit low{100, 100};
    const rlimit high{150, 150};
    const bool may = ::setrlimit(RLIMIT_NOFILE, &low) == 0 && ::setrlimit(RLIMIT_NOFILE, &high) == 0;
    ::setrlimit(RLIMIT_NOFILE, &low);
    const auto raised = raise_open_files_limit(200);
    ::_exit(raised.hard_before == 100 && raised.now == (may ? 200 : 100) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("deadlines set long before the loop runs are due in its first turn") {
  Loop loop;
  const Watchdog watchdog{loop};
  Deadlines deadlines{loop};
  struct Stop {
    Loop* loop;
    Deadline deadline = Deadline::calls<&Stop::on_deadline>(this);
    void on_deadline() { loop->stop(); }
  } stop{&loop};
  deadlines.set_after(stop.deadline, 1ms);
  for (const TimePoint start = Clock::now(); Clock::now() < start + 5ms;) {
  }
  loop.run();
  CHECK_FALSE(stop.deadline.is_set());
}
