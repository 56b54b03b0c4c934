// Well-behaved plugins, in C and C++, each way of answering, through the real host.
#include "bench.hpp"
#include "plugins/content.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <thread>

using bench::Asked;
using bench::Bench;
using tftpkit::host::Kind;

namespace {

std::string pattern(std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::uint64_t at = 0; at < size; ++at)
    bytes[at] = static_cast<char>(pattern_byte(at));
  return bytes;
}

}  // namespace

TEST_CASE("A plugin in C and one in C++ answer with their line") {
  Bench bench;
  const auto in_c = bench.instance("hello-c");
  const auto in_cpp = bench.instance("hello-cpp");
  CHECK(Asked(in_c, "any/name").content() == "Hello from C!\n");
  CHECK(Asked(in_cpp, "any/name").content() == "Hello from C++!\n");
}

TEST_CASE("The description is what the descriptor says") {
  const auto library = tftpkit::host::Library::load(bench::plugin_file("hello-c"));
  CHECK(library->description().name == "hello-c");
  CHECK(library->description().version == "1.0");
  CHECK(library->description().license == "MIT");
  CHECK(library->description().reads);
  CHECK_FALSE(library->description().writes);
  CHECK(tftpkit::host::execution_text(library->description().execution) == "serial");
}

TEST_CASE("A buffer is handed over where it lies, of any size") {
  Bench bench;
  const auto memory = bench.instance("memory");
  for (const std::uint64_t size : {0U, 1U, 511U, 512U, 100'000U}) {
    Asked asked(memory, "pattern/" + std::to_string(size));
    REQUIRE(asked.answer().source);
    CHECK(asked.answer().source->kind == Kind::buffer);
    CHECK(asked.answer().source->size == size);
    CHECK(asked.content() == pattern(size));
  }
}

TEST_CASE("A stream gives its bytes in order, with or without a size, in pieces of any size") {
  Bench bench;
  const auto stream = bench.instance("stream");
  Asked sized(stream, "pattern/10000");
  CHECK(sized.answer().source->size == 10000);
  CHECK(sized.content() == pattern(10000));
  Asked unsized(stream, "unsized/pattern/10000");
  CHECK_FALSE(unsized.answer().source->size);
  CHECK(unsized.content() == pattern(10000));
  CHECK(Asked(stream, "trickle/pattern/100").content() == pattern(100));
}

TEST_CASE("A pipe is taken over, close-on-exec, and read until it ends") {
  Bench bench;
  const auto pipe = bench.instance("pipe");
  Asked asked(pipe, "pattern/200000");
  REQUIRE(asked.answer().source);
  CHECK(asked.answer().source->kind == Kind::fd);
  CHECK_FALSE(asked.answer().source->regular);
  CHECK((::fcntl(asked.answer().source->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(asked.content() == pattern(200000));
}

TEST_CASE("An answer by complete() arrives, late or before open has returned") {
  Bench bench;
  const auto pending = bench.instance("pending");
  CHECK(Asked(pending, "after/5").content() == "after 5 ms\n");
  Asked at_once(pending, "at-once");
  CHECK(at_once.answers() == 1);
  CHECK(at_once.content() == "at once\n");
  Asked declined(pending, "decline/1");
  CHECK(declined.answer().status == TFTPKIT_DECLINED);
  CHECK(declined.answer().text == "not mine after all");
  Asked failed(pending, "fail/1");
  CHECK(failed.answer().status == TFTPKIT_E_UNAVAILABLE);
  CHECK(failed.answer().text == "the backend is down");
}

TEST_CASE("A redirect carries its path, and what is not the plugin's is declined") {
  Bench bench;
  const auto redirect = bench.instance("redirect");
  Asked asked(redirect, "to/boot/grubx64.efi");
  REQUIRE(asked.answer().source);
  CHECK(asked.answer().source->kind == Kind::redirect);
  CHECK(asked.answer().source->redirect == "boot/grubx64.efi");
  CHECK(Asked(redirect, "elsewhere").answer().status == TFTPKIT_DECLINED);
}

TEST_CASE("The plugin sees the whole request, option names in lower case and in order") {
  Bench bench;
  const auto pathinfo = bench.instance("pathinfo");
  auto request = bench::request_for("a/b");
  request.wire_path = "\\a\\b\xff";
  request.mode = TFTPKIT_MODE_NETASCII;
  request.blksize = 1428;
  request.windowsize = 16;
  request.redirects = 3;
  request.peer = {4, 2070, 0, {192, 0, 2, 7}};
  request.local = {6, 69, 0, {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  request.options = {{"TSize", "0"}, {"BLKSIZE", "1428"}, {"x-Vendor", "Foo Bar"}};
  std::string content;
  const auto call = tftpkit::host::Call::make(pathinfo, request, [&](tftpkit::host::Answer answer) {
    REQUIRE(answer.source);
    content.assign(reinterpret_cast<const char*>(answer.source->data.data()), answer.source->data.size());
  });
  call->open();
  CHECK(content == "path=a/b\nwire_path=\\x5ca\\x5cb\\xff\nmode=netascii\nblksize=1428\nwindowsize=16\n"
                   "answer_within_ms=10000\npeer=192.0.2.7:2070\nlocal=[fd00::1]:69\nmac=none\nredirects=3\n"
                   "instance=pathinfo-1\noption=tsize:0\noption=blksize:1428\noption=x-vendor:Foo Bar\n");
}

TEST_CASE("The peer's link address comes from the neighbour service") {
  Bench bench;
  const auto neighbour = [](const tftpkit_addr& peer, std::uint8_t mac[6]) {
    for (int i = 0; i < 6; ++i)
      mac[i] = static_cast<std::uint8_t>(peer.bytes[3] + i);
    return true;
  };
  const auto instance =
      tftpkit::host::Instance::create(tftpkit::host::Library::load(bench::plugin_file("pathinfo")), "info",
                                      {}, {bench.log(), neighbour, "0.0"});
  auto request = bench::request_for("x");
  request.peer = {4, 2070, 0, {192, 0, 2, 0x30}};
  std::string content;
  const auto call = tftpkit::host::Call::make(instance, request, [&](tftpkit::host::Answer answer) {
    content.assign(reinterpret_cast<const char*>(answer.source->data.data()), answer.source->data.size());
  });
  call->open();
  CHECK(content.find("mac=30:31:32:33:34:35\n") != std::string::npos);
}

TEST_CASE("Settings are read by JSON pointer") {
  Bench bench;
  tftpkit::host::Settings settings;
  settings.json = R"({"greeting":"hi","level":7})";
  settings.texts = {{"", settings.json}, {"/greeting", "hi"}, {"/level", "7"}};
  settings.integers = {{"/level", 7}};
  settings.counts = {{"", 2}};
  const auto instance = bench.instance("settings", settings);
  CHECK(Asked(instance, "text/greeting").content() == "hi");
  CHECK(Asked(instance, "integer/level").content() == "7");
  CHECK(Asked(instance, "integer/greeting").answer().status == TFTPKIT_DECLINED);
  CHECK(Asked(instance, "count").content() == "2");
  CHECK(Asked(instance, "text/nowhere").answer().text == "nothing there");
  CHECK(Asked(instance, "all").content() == settings.json);
}

TEST_CASE("An instance that cannot be made says so in the plugin's words") {
  Bench bench;
  for (const std::string where : {"create", "start"}) {
    tftpkit::host::Settings settings;
    settings.texts = {{"/fail_in", where}};
    std::string said;
    try {
      bench.instance("settings", settings);
    } catch (const tftpkit::host::Error& error) {
      said = error.what();
    }
    CHECK(said.find("instance \"settings-1\" (plugin settings 1.0): " + where + "() failed") == 0);
    CHECK(said.find("told to fail") != std::string::npos);
  }
}

TEST_CASE("A second live instance of a singleton is refused, a later one is not") {
  Bench bench;
  {
    const auto first = bench.instance("lies-about-size");
    CHECK_THROWS_AS(bench.instance("lies-about-size"), tftpkit::host::Error);
  }
  CHECK(bench.instance("lies-about-size"));
}

TEST_CASE("The same content is the same library, wherever the file lies") {
  const bench::Directory directory;
  const auto copy = directory.path() / "hello-c.so";
  std::filesystem::copy_file(bench::plugin_file("hello-c"), copy);
  CHECK(tftpkit::host::Library::load(copy) == tftpkit::host::Library::load(bench::plugin_file("hello-c")));
}

TEST_CASE("A file that was replaced, truncated or deleted harms nothing, and the new one is really new") {
  Bench bench;
  const bench::Directory directory;
  const auto file = directory.path() / "greeter.so";
  const auto put = [&](const std::string& plugin) {
    std::filesystem::copy_file(bench::plugin_file(plugin), file,
                               std::filesystem::copy_options::overwrite_existing);
  };
  const auto instance = [&] {
    return tftpkit::host::Instance::create(tftpkit::host::Library::load(file), "greeter", {},
                                           {bench.log(), {}, "0"});
  };
  put("hello-c");
  const auto first = instance();
  put("hello-cpp");  // written over in place
  const auto second = instance();
  std::filesystem::resize_file(file, 0);
  CHECK(Asked(first, "x").content() == "Hello from C!\n");
  CHECK(Asked(second, "x").content() == "Hello from C++!\n");
  CHECK_THROWS_AS(instance(), tftpkit::host::Error);
  std::filesystem::remove(file);
  CHECK(Asked(first, "x").content() == "Hello from C!\n");
}

TEST_CASE("A plugin in a directory of its own name is loaded where it lies, each generation anew") {
  Bench bench;
  const bench::Directory directory;
  const auto home = directory.path() / "greeter";
  std::filesystem::create_directory(home);
  const auto renamed_in = [&](const std::string& plugin) {
    std::filesystem::copy_file(bench::plugin_file(plugin), home / "next");
    std::filesystem::rename(home / "next", home / "greeter.so");
    const auto library = tftpkit::host::Library::load(home / "greeter.so");
    CHECK(library->in_place());
    return tftpkit::host::Instance::create(library, "greeter", {}, {bench.log(), {}, "0"});
  };
  const auto first = renamed_in("hello-c");
  const auto second = renamed_in("hello-cpp");
  CHECK(Asked(first, "x").content() == "Hello from C!\n");
  CHECK(Asked(second, "x").content() == "Hello from C++!\n");
}

TEST_CASE("How long the last call took is known, and that one is running") {
  Bench bench;
  const auto slow = bench.instance("slow");
  Asked asked(slow, "open/30", false);
  std::thread other([&] { asked.call().open(); });
  CHECK(bench::comes_true([&] { return asked.call().running_since() || asked.answers() == 1; }));
  other.join();
  CHECK_FALSE(asked.call().running_since());
  CHECK(asked.call().last_took() >= std::chrono::milliseconds(30));
}
