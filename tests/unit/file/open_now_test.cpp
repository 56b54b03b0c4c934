// Answers without waiting: the extension open-now of the plugin.
#include "fixture.hpp"
#include "recent_names.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sys/stat.h>

using namespace file_test;
namespace fs = std::filesystem;

namespace {

// Asks for the name once in the ordinary way, so that the kernel has it in memory.
std::optional<Reply> when_hot(Plugin& plugin, std::string_view path) {
  plugin.open(path);
  return plugin.open_now(path);
}

}  // namespace

TEST_CASE("a file that the kernel has in memory is there at once, the same as in the ordinary way") {
  const Scratch scratch;
  scratch.file("pxe/loader.0", "bytes");
  Plugin plugin(serving(scratch));
  const auto reply = when_hot(plugin, "pxe/loader.0");
  if (!reply) {
    MESSAGE("skipped: the temporary directory is on a file system that is not known to be local");
    return;
  }
  CHECK(reply->status == TFTPKIT_OK);
  CHECK(reply->content == "bytes");
  CHECK(reply->size == 5);
  // A missing name that is known to be missing is declined at once, and what must not get out does not.
  const auto missing = when_hot(plugin, "pxe/other.0");
  REQUIRE(missing);
  CHECK(missing->status == TFTPKIT_DECLINED);
  const auto directory = when_hot(plugin, "pxe");
  REQUIRE(directory);
  CHECK(directory->status == TFTPKIT_E_ACCESS);
}

TEST_CASE("a link that leads out of the root is never answered at once") {
  const Scratch scratch;
  scratch.link("out", "../secret");
  Plugin plugin(serving(scratch));
  CHECK_FALSE(when_hot(plugin, "out"));
}

TEST_CASE("a name that has to be searched for without regard to case comes later") {
  const Scratch scratch;
  scratch.file("Boot/BCD", "bytes");
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  CHECK(plugin.open("boot/bcd").status == TFTPKIT_OK);
  CHECK_FALSE(when_hot(plugin, "boot/bcd"));
}

TEST_CASE("without openat2 everything comes later") {
  const Scratch scratch;
  scratch.file("a", "bytes");
  Plugin plugin(serving(scratch), Way::steps);
  CHECK_FALSE(when_hot(plugin, "a"));
}

TEST_CASE("a name that was a regular file a moment ago is opened as what it is now") {
  const Scratch scratch;
  scratch.file("name", "old");
  Plugin plugin(serving(scratch));
  if (!when_hot(plugin, "name")) return;
  scratch.file("name", "newer");
  for (int time = 0; time < 3; ++time) {
    const auto reply = when_hot(plugin, "name");
    REQUIRE(reply);
    CHECK(reply->content == "newer");
    CHECK(reply->size == 5);
  }
  fs::remove(scratch.root() / "name");
  REQUIRE(::mkfifo((scratch.root() / "name").c_str(), 0644) == 0);
  CHECK(when_hot(plugin, "name")->status == TFTPKIT_E_ACCESS);
  fs::remove(scratch.root() / "name");
  CHECK(when_hot(plugin, "name")->status == TFTPKIT_DECLINED);
  scratch.link("name", "../secret");
  CHECK_FALSE(when_hot(plugin, "name"));
}

TEST_CASE("a file that nobody may read any more is refused, however lately it was served") {
  const Scratch scratch;
  scratch.file("name", "bytes");
  Plugin plugin(serving(scratch, {{"/require_world_readable", "always"}}));
  if (!when_hot(plugin, "name")) return;
  fs::permissions(scratch.root() / "name", fs::perms::owner_read);
  CHECK(when_hot(plugin, "name")->status == TFTPKIT_E_ACCESS);
}

TEST_CASE("recent names are remembered for a second, each its own") {
  tftpkit::file::RecentNames names;
  CHECK_FALSE(names.remembered("a", 1'000'000));
  names.remember("a", 1'000'000);
  CHECK(names.remembered("a", 1'000'999));
  CHECK_FALSE(names.remembered("b", 1'000'500));
  CHECK_FALSE(names.remembered("a", 1'001'000));
  CHECK_FALSE(names.remembered("", 1'000'000));
}
