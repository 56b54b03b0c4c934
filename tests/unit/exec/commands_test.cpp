// Commands as the plugin runs them: good ones, and such as misbehave.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using exec_test::Instance;
using exec_test::script;
using exec_test::Texts;

namespace {

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

// The number that a script has written into this file.
pid_t pid_in(const std::filesystem::path& file) {
  pid_t pid = 0;
  CHECK(eventually([&] { return bool(std::ifstream(file) >> pid); }));
  return pid;
}

// Gone, or dead and not yet collected by whoever took it over.
bool is_gone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return !(stat >> number >> name >> state) || state == "Z";
}

}  // namespace

TEST_CASE("What a command prints is the answer, whole, with arguments as they were given") {
  Instance instance({{"/command/0", "printf"}, {"/command/1", "%s|"}, {"/command/2", "$HOME; * "}});
  const auto answer = instance.fetch("x");
  CHECK(answer.status == TFTPKIT_OK);
  CHECK(answer.content == "$HOME; * |");
}

TEST_CASE("A script gets the request in its environment and the other elements as its parameters") {
  Texts settings = script("echo \"$TFTP_PATH $TFTP_PEER $TFTP_MAC $TFTP_TSIZE $COLOUR $1 $# $PWD\"");
  settings.merge(Texts{{"/command/1", "a b"}, {"/env/0", "COLOUR=blue"}, {"/directory", "/usr"}});
  Instance instance(settings);
  instance.host.mac = {0x52, 0x54, 0, 0xab, 0xcd, 1};
  CHECK(instance.fetch("boot/x").content == "boot/x 192.0.2.7 52:54:00:ab:cd:01 0 blue a b 1 /usr\n");
}

TEST_CASE("A command has nothing of the server but its three streams, and no variables but its own") {
  Instance instance(script("ls /proc/self/fd | wc -l; head -c 1 | wc -c; env | grep -vc '^TFTP_'"));
  // ls itself opens the directory; beside PATH the shell sets PWD.
  CHECK(instance.fetch("x").content == "4\n0\n2\n");
}

TEST_CASE(
    "Exit status 2 declines with the last line as the reason, and nothing of what was printed is served") {
  Instance instance(script("echo body; echo 'no such host' >&2; exit 2"));
  const auto answer = instance.fetch("x");
  CHECK(answer.status == TFTPKIT_DECLINED);
  CHECK(answer.text == "no such host");
}

TEST_CASE("Another exit status fails, the last line of stderr is in the log and not in the answer") {
  Instance instance(script("echo body; echo one >&2; echo 'the database is down' >&2; exit 7"));
  const auto answer = instance.fetch("x");
  CHECK(answer.status == TFTPKIT_E_IO);
  CHECK(answer.text == "the command ended with exit status 7");
  CHECK(instance.host.logged(
            "x: the command ended with exit status 7; its last line: the database is down") == 1);
}

TEST_CASE("A command that is ended by a signal fails with its name") {
  Instance instance(script("kill -SEGV $$"));
  CHECK(instance.fetch("x").text == "the command was ended by SIGSEGV");
}

TEST_CASE("Large answers come whole, from memory and from a directory") {
  const test_support::Scratch scratch;
  for (const std::string& spool : {std::string(), scratch.path().string()}) {
    Texts settings = script("head -c 3000000 /dev/zero | tr '\\0' x");
    if (!spool.empty()) settings["/spool"] = spool;
    Instance instance(settings);
    const auto answer = instance.fetch("x");
    CHECK(answer.status == TFTPKIT_OK);
    CHECK(answer.content == std::string(3'000'000, 'x'));
  }
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("One byte less than the limit is served, one more is refused") {
  Instance instance(script("head -c $TFTP_PATH /dev/zero", {{"/max_size", "100000"}}));
  CHECK(instance.fetch("100000").content.size() == 100'000);
  const auto answer = instance.fetch("100001");
  CHECK(answer.status == TFTPKIT_E_NO_SPACE);
  CHECK(answer.text == "the command gave more than its limit of 100000 bytes");
}

TEST_CASE("Output without an end is stopped at the limit and its writer ended") {
  const test_support::Scratch scratch;
  Instance instance(script("echo $$ > pid; exec yes", {{"/directory", scratch.path().string()}}));
  CHECK(instance.fetch("x").status == TFTPKIT_E_NO_SPACE);
  CHECK(eventually([&] { return is_gone(pid_in(scratch.path("pid"))); }));
}

TEST_CASE("A command that never ends is ended by its limit of time, with all that it started") {
  const test_support::Scratch scratch;
  Instance instance(script("sleep 1000 & echo $! > pid; wait",
                           {{"/directory", scratch.path().string()}, {"/time_limit", "200"}}));
  const auto answer = instance.fetch("x");
  CHECK(answer.status == TFTPKIT_E_TIMEOUT);
  CHECK(answer.text == "the command took longer than its limit of 0.2 s");
  CHECK(eventually([&] { return is_gone(pid_in(scratch.path("pid"))); }));
}

TEST_CASE("Who closes stdout early is waited for, and its exit status counts") {
  Instance instance(script("echo some; exec >&-; sleep 0.05; exit $TFTP_PATH"));
  CHECK(instance.fetch("0").content == "some\n");
  CHECK(instance.fetch("2").status == TFTPKIT_DECLINED);
}

TEST_CASE("What a command leaves behind keeps no answer waiting and does not outlive it") {
  const test_support::Scratch scratch;
  Instance instance(
      script("sleep 1000 & echo $! > pid; echo done", {{"/directory", scratch.path().string()}}));
  CHECK(instance.fetch("x").content == "done\n");
  CHECK(eventually([&] { return is_gone(pid_in(scratch.path("pid"))); }));
}

TEST_CASE("What left the process group and holds the pipe keeps no answer waiting") {
  const test_support::Scratch scratch;
  Instance instance(
      script("setsid sleep 1000 & echo $! > pid; echo done", {{"/directory", scratch.path().string()}}));
  CHECK(instance.fetch("x").content == "done\n");
  ::kill(pid_in(scratch.path("pid")), SIGKILL);
}

TEST_CASE("Megabytes on stderr harm nobody") {
  Instance instance(script(
      "yes complaint | head -c 5000000 >&2; echo >&2; echo 'the end' >&2; echo served; exit $TFTP_PATH"));
  CHECK(instance.fetch("0").content == "served\n");
  CHECK(instance.fetch("5").status == TFTPKIT_E_IO);
  CHECK(instance.host.logged("its last line: the end") == 2);  // also of the good one, at debug level
}

TEST_CASE("A program that went away or is none any more fails its request, and the log says why") {
  const test_support::Scratch scratch;
  scratch.file("tool", "#!/bin/sh\necho here\n");
  const auto tool = scratch.path("tool");
  std::filesystem::permissions(tool, std::filesystem::perms(0755));
  Instance instance({{"/command/0", tool.string()}});
  CHECK(instance.fetch("x").content == "here\n");
  scratch.file("tool", "echo no first line\n");
  std::filesystem::permissions(tool, std::filesystem::perms(0755));
  CHECK(instance.fetch("x").status == TFTPKIT_E_UNAVAILABLE);
  CHECK(instance.host.logged("cannot be run (a script needs a first line such as #!/bin/sh)") == 1);
  std::filesystem::remove(tool);
  CHECK(instance.fetch("x").text == "the command cannot be run");
  CHECK(instance.host.logged(tool.string() + " cannot be run: No such file or directory") == 1);
}

TEST_CASE("A client that went away takes its command with it") {
  const test_support::Scratch scratch;
  Instance instance(script("echo $$ > pid; exec sleep 1000", {{"/directory", scratch.path().string()}}));
  const auto request = instance.ask("x");
  const pid_t pid = pid_in(scratch.path("pid"));
  instance.host.give_up(request);
  CHECK(instance.answer(request).status == TFTPKIT_E_CANCELLED);
  CHECK(eventually([&] { return is_gone(pid); }));
}

TEST_CASE("No more than so many run at once, the others wait, and what comes then is refused") {
  const test_support::Scratch scratch;
  Texts settings = script("echo x >> started; while [ ! -e go ]; do sleep 0.02; done; wc -l < started");
  settings.merge(
      Texts{{"/directory", scratch.path().string()}, {"/concurrency", "2"}, {"/max_waiting", "3"}});
  Instance instance(settings);
  std::vector<std::uint64_t> requests(5);
  for (std::uint64_t& request : requests)
    request = instance.ask("x");
  CHECK(instance.refused == TFTPKIT_OK);
  instance.ask("x");
  CHECK(instance.refused == TFTPKIT_E_UNAVAILABLE);
  CHECK(instance.host.take_explanation() == "3 requests wait already");
  CHECK(eventually([&] {
    return std::filesystem::exists(scratch.path("started")) &&
           std::filesystem::file_size(scratch.path("started")) == 4;
  }));
  instance.host.give_up(requests[4]);
  CHECK(instance.answer(requests[4]).status == TFTPKIT_E_CANCELLED);
  CHECK(std::filesystem::file_size(scratch.path("started")) == 4);
  scratch.file("go", "");
  for (int i = 0; i < 4; ++i)
    CHECK(instance.answer(requests[static_cast<std::size_t>(i)]).status == TFTPKIT_OK);
  CHECK(instance.fetch("x").content == "5\n");
}

TEST_CASE("Hundreds of requests wait with one thread, and each gets its own answer") {
  Instance instance({{"/command/0", "/bin/echo"}, {"/concurrency", "32"}});
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  const auto before = threads();
  std::vector<std::uint64_t> requests(300);
  for (std::uint64_t& request : requests)
    request = instance.ask("x");
  CHECK(threads() == before);
  for (const std::uint64_t request : requests)
    CHECK(instance.answer(request).content == "\n");
}

TEST_CASE("Stopping ends what runs and answers what waits") {
  const test_support::Scratch scratch;
  Texts settings = script("echo $$ > pid; exec sleep 1000", {{"/directory", scratch.path().string()}});
  settings["/concurrency"] = "1";
  Instance instance(settings);
  const auto runs = instance.ask("x");
  const auto waits = instance.ask("x");
  const pid_t pid = pid_in(scratch.path("pid"));
  instance.stop();
  CHECK(instance.answer(runs).text == "the server stops");
  CHECK(instance.answer(waits).text == "the server stops");
  CHECK(is_gone(pid));
}
