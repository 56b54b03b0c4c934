// Children of this test: what they are given, what they are not, and that they end with all they started.
#include "process/child.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

using namespace tftpkit::process;

namespace {

// Runs a shell script with its standard output in a pipe, and ends it with its group once it has said
// `until`.
struct Script {
  explicit Script(const std::string& text, const std::string& until = {},
                  const std::string& directory = "/") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    SpawnPlan plan;
    plan.change_directory(directory);
    plan.open_null(STDIN_FILENO, O_RDONLY);
    plan.duplicate(ends[1], STDOUT_FILENO);
    plan.close_from(STDERR_FILENO + 1);
    const pid_t pid = plan.run("/bin/sh", {"sh", "-c", text}, {"WORD=given"});
    ::close(ends[1]);
    std::array<char, 256> buffer{};
    ssize_t n = 0;
    while ((until.empty() || said.find(until) == std::string::npos) &&
           (n = ::read(ends[0], buffer.data(), buffer.size())) > 0)
      said.append(buffer.data(), static_cast<std::size_t>(n));
    if (until.empty()) wait_for_end(pid);
    status = end_group(pid);
    // Nobody of the group is left to hold the pipe.
    while ((n = ::read(ends[0], buffer.data(), buffer.size())) > 0)
      said.append(buffer.data(), static_cast<std::size_t>(n));
    CHECK(n == 0);
    ::close(ends[0]);
  }

  static void wait_for_end(pid_t pid) {
    const int fd = descriptor_of(pid);
    REQUIRE(fd >= 0);
    pollfd end{fd, POLLIN, 0};
    CHECK(::poll(&end, 1, 60'000) == 1);
    ::close(fd);
    CHECK(has_ended(pid));
  }

  std::string said;
  int status = -1;
};

}  // namespace

TEST_CASE("a child has the environment, the directory and the descriptors that it was given, and no others") {
  const int open_here = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  const Script script("echo $WORD-$HOME-$PWD; ls /proc/self/fd | wc -l", {}, "/usr");
  ::close(open_here);
  CHECK(script.said == "given--/usr\n4\n");  // and the one that ls reads the directory with
  CHECK(WIFEXITED(script.status));
}

TEST_CASE("a status that it had already stays") {
  CHECK(WEXITSTATUS(Script("exit 3").status) == 3);
}

TEST_CASE("what a child started ends with it") {
  const Script script("sleep 1000 & echo ready; sleep 1000", "ready");
  REQUIRE(WIFSIGNALED(script.status));
  CHECK(signal_name(WTERMSIG(script.status)) == "SIGKILL");
}

TEST_CASE("a child does not inherit blocked or ignored signals") {
  sigset_t usr1;
  sigset_t before;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &usr1, &before);
  const auto old = std::signal(SIGUSR1, SIG_IGN);
  const Script script("kill -USR1 $$; echo survived");
  std::signal(SIGUSR1, old);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  CHECK(script.said.empty());
  CHECK(signal_name(WTERMSIG(script.status)) == "SIGUSR1");
}

TEST_CASE("a program that cannot be run is an error with its name") {
  const SpawnPlan plan;
  CHECK_THROWS_WITH_AS((void)plan.run("/nowhere/program", {"program"}),
                       doctest::Contains("cannot run /nowhere/program: No such file"), std::system_error);
}
