// Symbolic links under each policy, with openat2 and step by step: both ways have to agree.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>

using namespace file_test;
namespace fs = std::filesystem;

namespace {

constexpr Way both[] = {Way::kernel, Way::steps};

struct Links : Scratch {
  Links() {
    file("files/real", "inside");
    file("dir/sub/leaf", "leaf");
    std::ofstream(base() / "outside") << "SECRET";
    link("near", "files/real");
    link("dir/up", "../files/real");
    link("dir/sub/there-and-back", "../../dir/../files/./real");
    link("to-dir", "dir");
    link("chain", "near");
    link("out", "../outside");
    link("dir/out", "../../outside");
    link("out-and-in", "../root/files/real");
    link("absolute", (base() / "outside").string());
    link("absolute-inside", (root() / "files/real").string());
    link("self", "self");
    link("dangling", "nowhere");
    link("file-as-dir", "files/real/");
    link("dir-slash", "dir/");
    link("magic", "/proc/self/root/etc/passwd");
    std::string target = "files/real";
    for (int i = 0; i < 41; ++i) {
      link("hop" + std::to_string(i), target);
      target = "hop" + std::to_string(i);
    }
  }
};

}  // namespace

TEST_CASE("symlinks: beneath follows what stays below the root") {
  const Links tree;
  for (const Way way : both) {
    CAPTURE(static_cast<int>(way));
    Plugin plugin(serving(tree), way);
    for (const char* name : {"near", "dir/up", "dir/sub/there-and-back", "to-dir/up",
                             "to-dir/sub/there-and-back", "chain", "hop38"}) {
      CAPTURE(name);
      CHECK(plugin.open(name).content == "inside");
    }
    CHECK(plugin.open("dir-slash/sub/leaf").content == "leaf");
    CHECK(plugin.open("to-dir").text == "is a directory");
  }
}

TEST_CASE("symlinks: beneath refuses every way out, and tells nothing of where it leads") {
  const Links tree;
  for (const Way way : both) {
    Plugin plugin(serving(tree), way);
    for (const char* name :
         {"out", "dir/out", "to-dir/out", "out-and-in", "absolute", "absolute-inside", "magic"}) {
      CAPTURE(name);
      const Reply reply = plugin.open(name);
      CHECK(reply.status == TFTPKIT_E_ACCESS);
      CHECK(reply.text == "a symbolic link leads out of the served directory");
    }
    CHECK(plugin.host.logged("set \"symlinks\" to \"anywhere\"") == 7);
    plugin.open("out");
    CHECK(plugin.host.logged("set \"symlinks\" to \"anywhere\"") == 7);  // each name is said once
  }
}

TEST_CASE("symlinks: circles, dangling links and links through files are missing files") {
  const Links tree;
  for (const Way way : both) {
    Plugin plugin(serving(tree), way);
    for (const char* name : {"self", "hop40", "dangling", "file-as-dir", "near/x"}) {
      CAPTURE(name);
      CHECK(plugin.open(name).status == TFTPKIT_DECLINED);
    }
  }
}

TEST_CASE("symlinks: none refuses every link, in the middle and at the end") {
  const Links tree;
  for (const Way way : both) {
    Plugin plugin(serving(tree, {{"/symlinks", "none"}}), way);
    for (const char* name : {"near", "to-dir/up", "to-dir/sub/leaf", "out", "absolute", "self", "dangling"}) {
      CAPTURE(name);
      CHECK(plugin.open(name).status == TFTPKIT_E_ACCESS);
    }
    CHECK(plugin.open("files/real").content == "inside");
  }
}

TEST_CASE("symlinks: anywhere follows a link out of the root, absolute or not") {
  const Links tree;
  for (const Way way : both) {
    Plugin plugin(serving(tree, {{"/symlinks", "anywhere"}, {"/require_world_readable", "never"}}), way);
    for (const char* name : {"out", "dir/out", "absolute"})
      CHECK(plugin.open(name).content == "SECRET");
    CHECK(plugin.open("absolute-inside").content == "inside");
  }
}

TEST_CASE("the root itself may be reached through a link") {
  const Links tree;
  fs::create_directory_symlink(tree.root(), tree.base() / "alias");
  Plugin plugin({{"/root", (tree.base() / "alias").string()}});
  CHECK(plugin.open("near").content == "inside");
}

TEST_CASE("a link that changes all the time never gives a file from outside") {
  const Links tree;
  for (const Way way : both) {
    Plugin plugin(serving(tree), way);
    std::atomic<bool> done{false};
    std::thread changer([&] {
      for (unsigned i = 0; !done; ++i) {
        const fs::path made = tree.root() / "next";
        fs::create_symlink(i % 2 == 0 ? "files/real" : "../outside", made);
        fs::rename(made, tree.root() / "changing");
      }
    });
    int good = 0;
    for (int i = 0; i < 1000; ++i) {
      const Reply reply = plugin.open("changing");
      REQUIRE(reply.content != "SECRET");
      good += reply.content == "inside" ? 1 : 0;
    }
    done = true;
    changer.join();
    MESSAGE("served ", good, " of 1000 from inside");
    fs::remove(tree.root() / "changing");
  }
}

TEST_CASE("a directory that moves out of the root under a climbing link gives nothing from outside") {
  const Scratch scratch;
  scratch.file("a/b/c/link", "");
  fs::remove(scratch.root() / "a/b/c/link");
  scratch.link("a/b/c/link", "../../../marker");
  scratch.file("marker", "inside");
  fs::create_directories(scratch.base() / "elsewhere");
  std::ofstream(scratch.base() / "marker")
      << "SECRET";  // what ../../.. means for "c" when it lies in elsewhere/b
  for (const Way way : both) {
    Plugin plugin(serving(scratch), way);
    std::atomic<bool> done{false};
    std::thread mover([&] {
      while (!done) {
        fs::rename(scratch.root() / "a/b", scratch.base() / "elsewhere/b");
        fs::rename(scratch.base() / "elsewhere/b", scratch.root() / "a/b");
      }
    });
    for (int i = 0; i < 1000; ++i)
      REQUIRE(plugin.open("a/b/c/link").content != "SECRET");
    done = true;
    mover.join();
    CHECK(plugin.open("a/b/c/link").content == "inside");
  }
}
