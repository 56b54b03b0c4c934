// Plugins in processes of their own, behind the host as the server has it: whatever happens to a process,
// every request ends, and the instance lives on.
#include "bench.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

using bench::Asked;
using bench::Bench;
namespace host = tftpkit::host;
using tftpkit::isolation::Isolated;
using tftpkit::isolation::Options;

namespace {

// Quick ones. No limit of memory: a sanitizer's shadow is larger than any.
Options quick() {
  Options options;
  options.memory = 0;
  options.call_limit = std::chrono::milliseconds(400);
  options.backoff.first = std::chrono::milliseconds(10);
  options.backoff.most = std::chrono::milliseconds(50);
  options.patience = std::chrono::milliseconds(3000);
  return options;
}

// Under a sanitizer a process needs longer to start than a call may take in these tests.
Options patient() {
  Options options = quick();
  options.call_limit = std::chrono::milliseconds(20'000);
  return options;
}

bool runs_again(const Isolated& isolated, pid_t before) {
  return bench::comes_true(
      [&] { return isolated.keeper->state() == "running" && isolated.keeper->pid() != before; });
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 2654435761U) >> 13);
  return bytes;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("Every kind of source brings its bytes out of the process") {
  Bench bench;
  const auto instance = bench.isolated("misbehaves", patient()).instance;
  for (const std::size_t size : {0, 1, 32 * 1024, 32 * 1024 + 1, 700'000}) {
    for (const std::string kind : {"good", "file", "stream"}) {
      CAPTURE(kind);
      CAPTURE(size);
      CHECK(Asked(instance, kind + "/" + std::to_string(size)).content() == pattern(size));
    }
  }
  CHECK(Asked(instance, "pid").content() != std::to_string(::getpid()) + "\n");
  CHECK(Asked(instance, "nothing").answer().status == TFTPKIT_DECLINED);
}

TEST_CASE("A hundred requests at once, from several threads, all come whole") {
  Bench bench;
  const auto instance = bench.isolated("misbehaves", patient()).instance;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 25; ++j) {
        const std::size_t size = static_cast<std::size_t>(i * 20'000 + j * 1000);
        const std::string kind = j % 2 == 0 ? "good/" : "stream/";
        if (Asked(instance, kind + std::to_string(size)).content() == pattern(size)) ++right;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(right == 100);
}

TEST_CASE(
    "An end of the process is the end of open requests, with the reason, and the instance serves again") {
  Bench bench;
  const auto isolated = bench.isolated("misbehaves", patient());
  const std::vector<std::pair<std::string, std::string>> acts = {
      {"open/exit", "its process ended itself with exit(0)"},
      {"open/abort", "its process was ended by SIGABRT"},
      {"open/garbage", "its process sent what is no message, and was ended"}};
  for (const auto& one : acts) {
    const auto& [act, why] = one;
    CAPTURE(one.first);
    const pid_t before = isolated.keeper->pid();
    Asked asked(isolated.instance, act);
    CHECK(asked.answer().status == TFTPKIT_E_UNAVAILABLE);
    CHECK(asked.answer().text == why);
    CHECK(bench::comes_true([&] { return bench.logged(one.second); }));
    REQUIRE(runs_again(isolated, before));
    CHECK(Asked(isolated.instance, "good/1000").content() == pattern(1000));
  }
}

TEST_CASE("Bytes that are here stay when the process is killed; a stream ends with the reason") {
  Bench bench;
  const auto isolated = bench.isolated("misbehaves", patient());
  Asked small(isolated.instance, "good/1000");
  Asked large(isolated.instance, "good/300000");
  Asked file(isolated.instance, "file/300000");
  Asked stream(isolated.instance, "stream/3000000");
  Asked pending(isolated.instance, "open/sleep");
  for (Asked* one : {&small, &large, &file, &stream})
    REQUIRE(one->answer().source);
  const pid_t before = isolated.keeper->pid();
  REQUIRE(::kill(before, SIGKILL) == 0);
  CHECK(pending.answer().status == TFTPKIT_E_UNAVAILABLE);
  CHECK(pending.answer().text == "its process was ended by SIGKILL");
  CHECK(small.content() == pattern(1000));
  CHECK(large.content() == pattern(300'000));
  CHECK(file.content() == pattern(300'000));
  std::array<std::byte, 1000> bytes{};
  std::int64_t got = 0;
  while ((got = stream.call().read(bytes)) > 0) {
  }
  CHECK(got == TFTPKIT_E_UNAVAILABLE);
  CHECK(stream.call().explanation() == "its process was ended by SIGKILL");
  REQUIRE(runs_again(isolated, before));
  CHECK(large.content() == pattern(300'000));
}

TEST_CASE("A call over its limit ends the process, and one that stands still too") {
  Bench bench;
  Options options = quick();
  options.call_limit = std::chrono::milliseconds(1500);
  const auto isolated = bench.isolated("misbehaves", options);
  const pid_t first = isolated.keeper->pid();
  Asked spins(isolated.instance, "open/spin");
  CHECK(spins.answer().text == "a call took longer than its limit of 1.5 s and its process was ended");
  REQUIRE(runs_again(isolated, first));
  const pid_t second = isolated.keeper->pid();
  Asked stops(isolated.instance, "open/stop");
  CHECK(stops.answer().text == "its process did not react within 1.5 s and was ended");
  CHECK(runs_again(isolated, second));
}

TEST_CASE("A request that is given up is forgotten at once, and its late answer does no harm") {
  Bench bench;
  const auto isolated = bench.isolated("pending", patient());
  for (int i = 0; i < 20; ++i) {
    Asked asked(isolated.instance, "after/20");
    CHECK(asked.call().abandon());
    CHECK(asked.answers() == 0);
  }
  CHECK(isolated.instance->forgotten() == 0);
  CHECK(Asked(isolated.instance, "after/30").content() == "after 30 ms\n");
}

TEST_CASE("A read that waits is woken by cancel, and the plugin's is woken too") {
  Bench bench;
  const auto isolated = bench.isolated("slow", patient());
  Asked asked(isolated.instance, "cancel");
  REQUIRE(asked.answer().source);
  std::int64_t got = 0;
  std::thread reader([&] {
    std::array<std::byte, 10> bytes{};
    got = asked.call().read(bytes);
  });
  CHECK(bench::comes_true([&] { return asked.call().running_since().has_value(); }));
  asked.call().cancel();
  reader.join();
  CHECK(got == TFTPKIT_E_CANCELLED);
  asked.call().close({});
}

TEST_CASE("The plugin in its process sees the whole request, and the peer's link-layer address through the "
          "server") {
  Bench bench;
  const auto neighbour = [](const tftpkit_addr& peer, std::uint8_t* mac) {
    for (int i = 0; i < 6; ++i)
      mac[i] = static_cast<std::uint8_t>(0x50 + i);
    return peer.family == 4 && peer.port == 2070;
  };
  const auto instance = bench.isolated("pathinfo", patient(), {}, neighbour).instance;
  auto request = bench::request_for("a/b");
  request.wire_path = "\\a\\b\xff";
  request.mode = TFTPKIT_MODE_NETASCII;
  request.blksize = 1428;
  request.windowsize = 16;
  request.redirects = 3;
  request.peer = {4, 2070, 0, {192, 0, 2, 7}};
  request.local = {6, 69, 0, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  request.options = {{"tsize", "0"}, {"X-Vendor", "Foo Bar"}};
  std::string content;
  std::atomic<bool> answered{false};
  const auto call = host::Call::make(instance, request, [&](host::Answer answer) {
    if (answer.source)
      content.assign(reinterpret_cast<const char*>(answer.source->data.data()), answer.source->data.size());
    answered = true;
  });
  call->open();
  REQUIRE(bench::comes_true([&] { return answered.load(); }));
  CHECK(
      content ==
      "path=a/b\nwire_path=\\x5ca\\x5cb\\xff\nmode=netascii\nblksize=1428\nwindowsize=16\n"
      "answer_within_ms=10000\npeer=192.0.2.7:2070\nlocal=[fd00::1]:69\nmac=50:51:52:53:54:55\nredirects=3\n"
      "instance=pathinfo-1\noption=tsize:0\noption=x-vendor:Foo Bar\n");
}

TEST_CASE("The plugin's words come into the server's log, and its failures with their text") {
  Bench bench;
  const auto wrong = bench.isolated("wrong-answers", patient()).instance;
  Asked asked(wrong, "null-data");
  CHECK(asked.answer().status == TFTPKIT_E_INTERNAL);
  CHECK(asked.answer().text == "open_read() answered with a BUFFER of 10 bytes with NULL data");
  CHECK(bench::comes_true([&] { return bench.logged("closed with 10"); }));
  CHECK(bench.logged("plugin at fault"));
}

TEST_CASE("Two instances of what can be only once in a process live beside each other") {
  Bench bench;
  const auto first = bench.isolated("misbehaves", patient());
  const auto second = bench.isolated("misbehaves", patient());
  CHECK(Asked(first.instance, "pid").content() != Asked(second.instance, "pid").content());
  const auto singleton = bench.isolated("lies-about-size", patient());
  CHECK_NOTHROW(bench.isolated("lies-about-size", patient()));
}

TEST_CASE("An instance that does not come to life is an error with the reason, and leaves nothing") {
  Bench bench;
  { const auto warm = bench.isolated("misbehaves", patient()); }
  const std::size_t before = open_descriptors();
  const auto failure = [&](const std::string& act) -> std::string {
    host::Settings settings;
    settings.texts = {{"/at_start", act}};
    try {
      bench.isolated("misbehaves", patient(), settings);
    } catch (const host::Error& error) {
      return error.what();
    }
    return "it started";
  };
  CHECK(failure("abort") ==
        "instance \"misbehaves-1\" (plugin misbehaves 1.0): its process was ended by SIGABRT");
  CHECK(failure("exit").find("exit(0)") != std::string::npos);
  Options options = patient();
  options.own_binary = "/no/such/binary";
  host::Settings none;
  CHECK_THROWS_AS(
      tftpkit::isolation::isolated_instance(
          {},
          {"x", host::Snapshot::of(bench::plugin_file("hello-c")), none, {bench.log(), {}, "", {}}, options}),
      host::Error);
  CHECK(open_descriptors() == before);
}

TEST_CASE("An instance whose process is down says so at once") {
  Bench bench;
  Options options = patient();
  options.backoff.first = std::chrono::milliseconds(60'000);
  options.backoff.most = std::chrono::milliseconds(60'000);
  const auto isolated = bench.isolated("misbehaves", options);
  CHECK(isolated.keeper->state() == "running");
  Asked(isolated.instance, "open/exit").answer();
  CHECK(bench::comes_true([&] { return isolated.keeper->state().find("restarting in ") == 0; }));
  Asked asked(isolated.instance, "good/1");
  CHECK(asked.answer().status == TFTPKIT_E_UNAVAILABLE);
  CHECK(asked.answer().text == "its process is down: its process ended itself with exit(0)");
}
