// Which files come out and which do not. Every rule twice: with openat2 and with the walk that stands in for
// it.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <fstream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace file_test;
namespace fs = std::filesystem;

namespace {

constexpr Way both[] = {Way::kernel, Way::steps};

std::string label(Way way) {
  return way == Way::kernel ? "openat2" : "step by step";
}

// Runs `body` in a thread of its own, for what a thread can do to itself alone.
template <typename Body>
void alone(Body body) {
  std::thread(body).join();
}

}  // namespace

TEST_CASE("a file comes as a descriptor with its exact size, close-on-exec") {
  const Scratch scratch;
  scratch.file("pxelinux.0", "loader");
  scratch.file("boot/x64/deep/er/file", "deep");
  scratch.file("empty", "");
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch), way);
    Reply reply = plugin.open("pxelinux.0");
    CHECK(reply.status == TFTPKIT_OK);
    CHECK(reply.content == "loader");
    CHECK(reply.size == 6);
    CHECK(reply.fd_flags == FD_CLOEXEC);
    CHECK(plugin.open("boot/x64/deep/er/file").content == "deep");
    reply = plugin.open("empty");
    CHECK(reply.status == TFTPKIT_OK);
    CHECK(reply.size == 0);
  }
}

TEST_CASE("a size beyond 32 bits is told in full") {
  const Scratch scratch;
  scratch.file("huge", "");
  const uint64_t size = 5'368'709'121;
  REQUIRE(::truncate((scratch.root() / "huge").c_str(), static_cast<off_t>(size)) == 0);
  for (const Way way : both) {
    Plugin plugin(serving(scratch), way);
    CHECK(plugin.open("huge").size == size);
  }
}

TEST_CASE("a missing name is declined, so that the next instance is asked") {
  const Scratch scratch;
  scratch.file("file", "x");
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch), way);
    CHECK(plugin.open("missing").status == TFTPKIT_DECLINED);
    CHECK(plugin.open("no/such/directory").status == TFTPKIT_DECLINED);
    CHECK(plugin.open("file/below/a/file").status == TFTPKIT_DECLINED);
    CHECK(plugin.open("missing").text == "no such file");
  }
}

TEST_CASE("a name that is too long is declined with that reason") {
  const Scratch scratch;
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch), way);
    const Reply part = plugin.open(std::string(256, 'a'));
    CHECK(part.status == TFTPKIT_DECLINED);
    CHECK(part.text == "no such file: the name is too long");
    std::string whole = "a";
    for (int i = 0; i < 3000; ++i)
      whole += "/a";
    CHECK(plugin.open(whole).status == TFTPKIT_DECLINED);
  }
}

TEST_CASE("a directory is refused as a directory") {
  const Scratch scratch;
  scratch.file("dtb/board.dtb", "x");
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch), way);
    CHECK(plugin.open("dtb").status == TFTPKIT_E_ACCESS);
    CHECK(plugin.open("dtb").text == "is a directory");
    CHECK(plugin.open("").text == "is a directory");
  }
}

TEST_CASE("a FIFO is refused without waiting for a writer") {
  const Scratch scratch;
  REQUIRE(::mkfifo((scratch.root() / "fifo").c_str(), 0644) == 0);
  for (const Way way : both) {
    Plugin plugin(serving(scratch), way);
    const Reply reply = plugin.open("fifo");  // a test that waits here has failed: meson ends it
    CHECK(reply.status == TFTPKIT_E_ACCESS);
    CHECK(reply.text == "is not a regular file");
  }
}

TEST_CASE("a FIFO is not opened even for a moment: its writer sees no reader") {
  const Scratch scratch;
  const std::string fifo = (scratch.root() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0644) == 0);
  Plugin plugin(serving(scratch));
  plugin.open("fifo");
  CHECK(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC) == -1);
  CHECK(errno == ENXIO);
}

TEST_CASE("a socket is refused") {
  const Scratch scratch;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (scratch.root() / "socket").string();
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  for (const Way way : both) {
    Plugin plugin(serving(scratch), way);
    CHECK(plugin.open("socket").text == "is not a regular file");
  }
  ::close(fd);
}

TEST_CASE("a device is refused without being opened") {
  const Scratch scratch;
  const std::string device = (scratch.root() / "null").string();
  if (::mknod(device.c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) {
    MESSAGE("not tested: making a device needs the capability CAP_MKNOD");
    return;
  }
  for (const Way way : both) {
    Plugin plugin(serving(scratch), way);
    CHECK(plugin.open("null").status == TFTPKIT_E_ACCESS);
    CHECK(plugin.open("null").text == "is not a regular file");
  }
}

TEST_CASE("a file that the server may not read is an access violation") {
  const Scratch scratch;
  scratch.file("secret", "x");
  scratch.file("closed/file", "x");
  REQUIRE(::chmod((scratch.root() / "secret").c_str(), 0) == 0);
  REQUIRE(::chmod((scratch.root() / "closed").c_str(), 0) == 0);
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch, {{"/require_world_readable", "never"}}), way);
    Reply file;
    Reply below;
    alone([&] {
      ::setfsuid(65534);  // this thread only: root would be let in
      file = plugin.open("secret");
      below = plugin.open("closed/file");
    });
    CHECK(file.status == TFTPKIT_E_ACCESS);
    CHECK(file.text == "the server may not read it");
    CHECK(below.status == TFTPKIT_E_ACCESS);
  }
  ::chmod((scratch.root() / "closed").c_str(), 0755);
}

TEST_CASE("world-readable: asked for always, never, or when the server is root") {
  const Scratch scratch;
  scratch.file("group", "x");
  REQUIRE(::chmod((scratch.root() / "group").c_str(), 0640) == 0);
  const auto status = [&](Texts more) {
    return Plugin(serving(scratch, std::move(more))).open("group").status;
  };
  CHECK(status({{"/require_world_readable", "always"}}) == TFTPKIT_E_ACCESS);
  CHECK(status({{"/require_world_readable", "never"}}) == TFTPKIT_OK);
  CHECK(status({}) == (::geteuid() == 0 ? TFTPKIT_E_ACCESS : TFTPKIT_OK));
}

TEST_CASE("a file over max_size is refused, one of exactly that size is not") {
  const Scratch scratch;
  scratch.file("four", "1234");
  scratch.file("five", "12345");
  Plugin plugin(serving(scratch, {{"/max_size", "4"}}));
  CHECK(plugin.open("four").status == TFTPKIT_OK);
  CHECK(plugin.open("five").status == TFTPKIT_E_ACCESS);
  CHECK(plugin.open("five").text == "is larger than max_size (4 bytes)");
}

TEST_CASE("hidden names are not found unless they are asked for") {
  const Scratch scratch;
  scratch.file(".env", "secret");
  scratch.file(".git/config", "secret");
  scratch.file("a/.b/c", "secret");
  scratch.file("a.b/c.d", "fine");
  Plugin plugin(serving(scratch));
  for (const char* name : {".env", ".git/config", "a/.b/c"})
    CHECK(plugin.open(name).status == TFTPKIT_DECLINED);
  CHECK(plugin.open(".env").text == plugin.open("missing").text);
  CHECK(plugin.open("a.b/c.d").content == "fine");
  Plugin open_minded(serving(scratch, {{"/hidden", "true"}}));
  CHECK(open_minded.open(".git/config").content == "secret");
}

TEST_CASE("names are bytes: spaces and UTF-8 are found as they are") {
  const Scratch scratch;
  scratch.file("with space/b\xc3\xa4r", "x");
  for (const Way way : both)
    CHECK(Plugin(serving(scratch), way).open("with space/b\xc3\xa4r").status == TFTPKIT_OK);
}

TEST_CASE("a root that is replaced under its name is taken up with the next request") {
  const Scratch scratch;
  scratch.file("file", "old");
  Plugin plugin(serving(scratch));
  fs::rename(scratch.root(), scratch.base() / "aside");
  CHECK(plugin.open("file").content == "old");  // between the two renames the first one serves on
  CHECK(plugin.host.logged("serves on") == 1);
  scratch.file("file", "new");
  CHECK(plugin.open("file").content == "new");
}

TEST_CASE("running out of descriptors is a passing failure, not a missing file") {
  const Scratch scratch;
  scratch.file("file", "x");
  for (const Way way : both) {
    CAPTURE(label(way));
    Plugin plugin(serving(scratch), way);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int lowest = ::dup(0);
    REQUIRE(lowest >= 0);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const Reply reply = plugin.open("file");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(reply.status == TFTPKIT_E_UNAVAILABLE);
    CHECK(plugin.open("file").status == TFTPKIT_OK);
  }
}

TEST_CASE("where a sandbox forbids openat2 the plugin walks step by step and serves on") {
  const Scratch scratch;
  scratch.file("a/file", "x");
  scratch.link("out", "../../etc/passwd");
  bool filtered = false;
  std::size_t told = 0;
  Reply inside;
  Reply outside;
  alone([&] {
    sock_filter forbid[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{4, forbid};
    filtered = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    if (!filtered) return;
    Plugin plugin(serving(scratch));
    told = plugin.host.logged("openat2 is not available");
    inside = plugin.open("a/file");
    outside = plugin.open("out");
  });
  if (!filtered) {
    MESSAGE("not tested: seccomp filters are not available here");
    return;
  }
  CHECK(told == 1);
  CHECK(inside.content == "x");
  CHECK(outside.status == TFTPKIT_E_ACCESS);
}

TEST_CASE("the debug log tells where a name was looked for") {
  const Scratch scratch;
  scratch.file("file", "12345");
  Plugin plugin(serving(scratch, {{"/per_client/0", "ip"}}));
  plugin.open("file");
  CHECK(plugin.host.logged(
            "request 7: \"file\" was looked for as 10.0.0.5/file, then file: found, 5 bytes") == 1);
  plugin.host.debug = false;
  plugin.open("other");
  CHECK(plugin.host.logged("other") == 0);
}
