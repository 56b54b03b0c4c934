// Many requests at once, given up at every moment: each is answered at most once and closed exactly when it
// was opened. Meant for the sanitizers: what is not freed is a leak, what is freed twice or late is found.
#include "bench.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

using bench::Bench;
namespace host = tftpkit::host;

namespace {

struct Counts {
  std::atomic<int> answers{0};
  std::atomic<int> abandoned{0};
};

// Opens `path` on this thread while another gives it up after a random pause.
void one_request(const std::shared_ptr<host::Instance>& instance, const std::string& path, std::uint64_t id,
                 std::chrono::microseconds pause, Counts& counts) {
  host::OpenRequest request;
  request.id = id;
  request.path = path;
  const auto call =
      host::Call::make(instance, std::move(request), [&counts](host::Answer) { ++counts.answers; });
  std::thread impatient([&] {
    std::this_thread::sleep_for(pause);
    call->cancel();
    if (call->abandon()) ++counts.abandoned;
  });
  call->open();
  impatient.join();
  call->close({});
}

void many_requests(const std::shared_ptr<host::Instance>& instance, const std::string& path, Counts& counts) {
  constexpr int each = 150;
  std::vector<std::thread> threads;
  for (unsigned part = 0; part < 4; ++part)
    threads.emplace_back([&, part] {
      std::mt19937 random(part);
      for (unsigned i = 0; i < each; ++i)
        one_request(instance, path, part * 1000U + i + 1, std::chrono::microseconds(random() % 1500), counts);
    });
  for (std::thread& one : threads)
    one.join();
  CHECK(counts.answers + counts.abandoned == 4 * each);
}

}  // namespace

TEST_CASE("Answers that race with abandon() come once or never") {
  Bench bench;
  Counts counts;
  auto instance = bench.instance("pending");
  SUBCASE("from a thread, later") {
    many_requests(instance, "after/1", counts);
  }
  SUBCASE("from a thread, at once") {
    many_requests(instance, "after/0", counts);
  }
  SUBCASE("from inside open") {
    many_requests(instance, "at-once", counts);
  }
  CHECK(bench::comes_true([&] { return instance->forgotten() == 0; }));
}

TEST_CASE("Answers before open has returned race with abandon()") {
  Bench bench;
  Counts counts;
  many_requests(bench.instance("completes-before-return"), "x", counts);
}

TEST_CASE("Return values race with abandon()") {
  Bench bench;
  Counts counts;
  many_requests(bench.instance("stream"), "pattern/100", counts);
}

TEST_CASE("An instance may end while its late answers still come") {
  Bench bench;
  for (int round = 0; round < 20; ++round) {
    auto instance = bench.instance("completes-late");
    std::vector<std::shared_ptr<host::Call>> calls;
    for (std::uint64_t id = 1; id <= 10; ++id) {
      host::OpenRequest request;
      request.id = id;
      request.path = std::to_string(id % 3);
      calls.push_back(host::Call::make(instance, std::move(request), [](host::Answer) {}));
      calls.back()->open();
      if (id % 2 == 0) calls.back()->abandon();
    }
    calls.clear();
    instance.reset();
  }
  host::Instance::reap();
}
