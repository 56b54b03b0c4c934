// Plugins that break the contract, each in its own way: the host notices, blames the right one and goes on.
#include "bench.hpp"

#include <doctest/doctest.h>

#include <array>
#include <thread>

using bench::Asked;
using bench::Bench;
namespace host = tftpkit::host;

namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

host::State state_of(const std::string& plugin, std::string* what = nullptr) {
  try {
    host::Library::load(bench::plugin_file(plugin));
  } catch (const host::Error& error) {
    if (what != nullptr) *what = error.what();
    return error.state();
  }
  return host::State::ok;
}

std::int64_t read_some(host::Call& call) {
  std::array<std::byte, 512> buffer{};
  return call.read(buffer);
}

}  // namespace

TEST_CASE("A broken descriptor is refused with the reason, also the second time") {
  for (int round = 0; round < 2; ++round) {
    std::string what;
    CHECK(state_of("short-descriptor", &what) == host::State::invalid);
    CHECK(what.find("struct_size is 40") != std::string::npos);
    CHECK(state_of("null-descriptor", &what) == host::State::invalid);
    CHECK(what.find("returned NULL") != std::string::npos);
    CHECK(state_of("bad-name", &what) == host::State::invalid);
    CHECK(what.find('\033') == std::string::npos);
    CHECK(state_of("no-version") == host::State::invalid);
    CHECK(state_of("no-calls") == host::State::invalid);
    CHECK(state_of("needs-minor-99", &what) == host::State::incompatible);
    CHECK(what.find("1.99") != std::string::npos);
    CHECK(state_of("major-two", &what) == host::State::incompatible);
    CHECK(what.find("ABI 2 only") != std::string::npos);
    CHECK(state_of("no-entry") == host::State::not_a_plugin);
    CHECK(state_of("undefined-symbol", &what) == host::State::cannot_load);
    CHECK(what.find("tftpkit_no_such_function") != std::string::npos);
  }
}

TEST_CASE("A refused library costs no descriptor each time it is tried") {
  state_of("short-descriptor");
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 10; ++i)
    state_of("short-descriptor");
  CHECK(open_descriptors() == before);
}

TEST_CASE("A plugin from the future that needs nothing new runs, serially") {
  Bench bench;
  const auto instance = bench.instance("from-the-future");
  CHECK(instance->description().abi_minor == 7);
  CHECK(instance->execution() == TFTPKIT_EXEC_SERIAL);
  CHECK(instance->description().warning.find("unknown execution 50") != std::string::npos);
  CHECK(Asked(instance, "x").content() == "Hello from the future!\n");
}

TEST_CASE("An exception out of a call is a failure of that call") {
  Bench bench;
  const auto throws = bench.instance("throws");
  Asked open(throws, "open");
  CHECK(open.answer().status == TFTPKIT_E_INTERNAL);
  CHECK(open.answer().text == "open_read() threw an exception: thrown in open_read");
  CHECK(Asked(throws, "int").answer().text == "open_read() threw an exception: of an unknown type");

  Asked read(throws, "read");
  CHECK(read_some(read.call()) == TFTPKIT_E_INTERNAL);
  CHECK(read.call().explanation() == "read() threw an exception: thrown in read");
  CHECK(read_some(read.call()) == TFTPKIT_E_INTERNAL);

  Asked(throws, "close").call().close({});
  CHECK(bench.logged("thrown in close"));
  Asked cancel(throws, "cancel");
  cancel.call().cancel();
  CHECK(bench.logged("thrown in cancel"));
}

TEST_CASE("An exception out of create or start fails the instance, one out of stop or destroy is logged") {
  Bench bench;
  const auto made = [&](const std::string& where) {
    host::Settings settings;
    settings.texts = {{"/where", where}};
    return bench.instance("throws", settings);
  };
  for (const std::string where : {"create", "start"}) {
    std::string said;
    try {
      made(where);
    } catch (const host::Error& error) {
      said = error.what();
    }
    CHECK(said.find("threw an exception: thrown in " + where) != std::string::npos);
  }
  made("stop");
  CHECK(bench.logged("thrown in stop"));
  made("destroy");
  CHECK(bench.logged("thrown in destroy"));
}

TEST_CASE("Every wrong answer is a failure that says what was wrong, and the transfer is closed") {
  Bench bench;
  const auto instance = bench.instance("wrong-answers");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"null-data", "a BUFFER of 10 bytes with NULL data"},
      {"unsized-buffer", "a BUFFER of unknown size"},
      {"huge-buffer", "more than memory can hold"},
      {"unknown-kind", "a source of unknown kind 77"},
      {"closed-fd", "Bad file descriptor"},
      {"negative-fd", "descriptor -1"},
      {"standard-fd", "a standard descriptor of the process"},
      {"directory-fd", "which is a directory"},
      {"path-fd", "not open for reading"},
      {"write-only-fd", "not open for reading"},
      {"offset-beyond", "fd_offset 101 lies beyond the end of its file of 100 bytes"},
      {"size-beyond", "60 bytes from offset 50, but its file has only 100"},
      {"pipe-offset", "it is no regular file"},
      {"empty-redirect", "a REDIRECT to an empty path"},
      {"null-redirect", "a REDIRECT to an empty path"},
      {"unclean-redirect", "not a clean path"},
      {"long-redirect", "4096 are the limit"},
      {"zero-struct-size", "struct_size is 0"},
      {"huge-struct-size", "struct_size is 4294967295"},
      {"unknown-flags", "unknown flags 4"},
  };
  for (const auto& one : cases) {
    const auto& [name, fault] = one;
    CAPTURE(one.first);
    const std::size_t before = open_descriptors();
    {
      Asked asked(instance, name);
      CHECK(asked.answer().status == TFTPKIT_E_INTERNAL);
      CHECK(asked.answer().text.find("open_read() answered with a ") == 0);
      CHECK(asked.answer().text.find(fault) != std::string::npos);
      CHECK_FALSE(asked.answer().source);
      CHECK(bench.logged(fault));
      CHECK(bench.logged("closed with 10"));
    }
    CHECK(open_descriptors() == before);
    Asked later(instance, "later/" + name);
    CHECK(later.answers() == 1);
    CHECK(later.answer().status == TFTPKIT_E_INTERNAL);
    CHECK(later.answer().text.find(fault) != std::string::npos);
    CHECK(open_descriptors() == before);
  }
  CHECK(bench.logged("complete() returned -210"));
  CHECK(Asked(instance, "right").content() == "right\n");
  CHECK(Asked(instance, "later/right").content() == "right\n");
}

TEST_CASE("complete() with a refused answer is not followed by close()") {
  Bench bench;
  const auto instance = bench.instance("wrong-answers");
  { Asked asked(instance, "later/null-data"); }
  { Asked asked(instance, "later/unknown-status"); }
  { Asked asked(instance, "null-source"); }
  CHECK_FALSE(bench.logged("closed with"));
  { Asked asked(instance, "later/right"); }
  CHECK(bench.logged("closed with 50"));
}

TEST_CASE("A status that is no answer is an internal error") {
  Bench bench;
  const auto instance = bench.instance("wrong-answers");
  CHECK(Asked(instance, "unknown-status").answer().text == "open_read() returned the unknown status 4711");
  CHECK(Asked(instance, "stale-status").answer().status == TFTPKIT_E_INTERNAL);
  Asked completed(instance, "null-source");
  CHECK(completed.answer().status == TFTPKIT_E_INTERNAL);
  CHECK(completed.answer().text == "complete() answered with OK without a source");
}

TEST_CASE("read() cannot claim more bytes than there was room for") {
  Bench bench;
  const auto instance = bench.instance("wrong-answers");
  Asked much(instance, "reads-too-much");
  CHECK(read_some(much.call()) == TFTPKIT_E_INTERNAL);
  CHECK(much.call().explanation() == "read() returned 513 bytes for a buffer of 512");
  Asked unknown(instance, "reads-unknown");
  CHECK(read_some(unknown.call()) == TFTPKIT_E_INTERNAL);
  CHECK(unknown.call().explanation() == "read() returned the unknown status -7777");
}

TEST_CASE("A size that does not fit the file is refused at once; a part of a file is fine") {
  Bench bench;
  const auto lies = bench.instance("lies-about-size");
  CHECK(Asked(lies, "fd-long/1000").answer().status == TFTPKIT_E_INTERNAL);
  Asked part(lies, "fd-part/1000");
  CHECK(part.answer().source->size == 1000);
  Asked stream(lies, "stream-short/1000");
  CHECK(stream.answer().source->size == 1100);
  CHECK(stream.content().size() == 1000);
}

TEST_CASE("The first of two answers counts, the second is stale") {
  Bench bench;
  const auto twice = bench.instance("completes-twice");
  Asked asked(twice, "pending");
  CHECK(asked.content() == "first\n");
  CHECK(bench::comes_true([&] { return bench.logged("second complete() returned -200"); }));
  CHECK(bench.logged("first complete() returned 0"));
  CHECK(asked.answers() == 1);
}

TEST_CASE("An answer by complete() and another by the return value: the first counts, the plugin is blamed") {
  Bench bench;
  const auto twice = bench.instance("completes-twice");
  Asked asked(twice, "return");
  CHECK(asked.answers() == 1);
  CHECK(asked.content() == "first\n");
  CHECK(bench.logged("after complete() had answered"));
}

TEST_CASE("An answer before open has returned is delivered when it has") {
  Bench bench;
  const auto early = bench.instance("completes-before-return");
  Asked asked(early, "x");
  CHECK(asked.answers() == 1);
  CHECK(asked.content() == "early\n");
  CHECK(bench.logged("early complete() returned 0"));
}

TEST_CASE("A late answer is stale, whether the call is still held or not") {
  Bench bench;
  auto late = bench.instance("completes-late");
  Asked held(late, "20");
  CHECK(held.call().abandon());
  {
    Asked dropped(late, "20");
    CHECK(dropped.call().abandon());
  }
  CHECK(late->forgotten() == 2);
  CHECK(bench::comes_true([&] { return late->forgotten() == 0; }));
  CHECK(held.answers() == 0);
  held.shared().reset();
  late.reset();  // stop() joins the threads
  CHECK(bench.logged("late complete() returned -200"));
}

TEST_CASE("A plugin that never completes keeps its request until the instance ends, and nothing more") {
  Bench bench;
  auto never = bench.instance("never-completes");
  for (int i = 0; i < 100; ++i) {
    Asked asked(never, "x");
    CHECK(asked.call().abandon());
    CHECK(asked.call().abandon());
    CHECK(asked.answers() == 0);
  }
  CHECK(never->forgotten() == 100);
  const std::weak_ptr<host::Instance> watched = never;
  never.reset();
  CHECK(watched.expired());
}

TEST_CASE("An OK that comes after abandon() is closed there and then") {
  Bench bench;
  const auto slow = bench.instance("slow");
  Asked asked(slow, "open/50", false);
  std::thread other([&] { asked.call().open(); });
  CHECK(bench::comes_true([&] { return asked.call().running_since().has_value(); }));
  CHECK(asked.call().abandon());
  other.join();
  CHECK(asked.answers() == 0);
  CHECK(asked.call().read({}) == TFTPKIT_E_INVALID);
}

TEST_CASE("abandon() before open asks the plugin nothing, after the answer it says so") {
  Bench bench;
  const auto instance = bench.instance("wrong-answers");
  Asked never(instance, "right", false);
  CHECK(never.call().abandon());
  never.call().open();
  CHECK(never.answers() == 0);
  Asked answered(instance, "right");
  CHECK_FALSE(answered.call().abandon());
  answered.call().close({TFTPKIT_END_DELIVERED, 6, std::chrono::microseconds(1), 0});
  answered.call().close({});
  const std::string log = bench.logged();
  CHECK(log.find("closed with 0") != std::string::npos);
  CHECK(log.find("closed with 50") == std::string::npos);
}

TEST_CASE("cancel() wakes a read() that waits") {
  Bench bench;
  const auto slow = bench.instance("slow");
  Asked asked(slow, "cancel");
  std::int64_t got = 0;
  std::thread reader([&] { got = read_some(asked.call()); });
  CHECK(bench::comes_true([&] { return asked.call().running_since().has_value(); }));
  asked.call().cancel();
  reader.join();
  CHECK(got == TFTPKIT_E_CANCELLED);
}

TEST_CASE("The last holder may let go inside complete() on the plugin's own thread") {
  Bench bench;
  auto instance = bench.instance("pending");
  const std::weak_ptr<host::Instance> watched = instance;
  auto request = bench::request_for("after/20");
  auto held = std::make_shared<std::shared_ptr<host::Call>>();
  *held = host::Call::make(instance, request, [held](host::Answer) { held->reset(); });
  std::weak_ptr<host::Call> call = *held;
  (*held)->open();
  held.reset();
  instance.reset();
  CHECK(bench::comes_true([&] { return call.expired(); }));
  CHECK(bench::comes_true([&] { return watched.expired(); }));
  // stop() and destroy() run here, not on the thread that they would wait for.
  host::Instance::reap();
  CHECK(call.expired());
}

TEST_CASE("Two requests with one id in one instance: the second fails, the first goes on") {
  Bench bench;
  const auto pending = bench.instance("pending");
  const auto request = bench::request_for("after/20");
  host::Answer second;
  const auto first = host::Call::make(pending, request, [](host::Answer) {});
  first->open();
  const auto other =
      host::Call::make(pending, request, [&](host::Answer answer) { second = std::move(answer); });
  other->open();
  CHECK(second.status == TFTPKIT_E_INTERNAL);
  CHECK(second.text.find("is in use already") != std::string::npos);
}
