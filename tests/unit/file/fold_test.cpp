// Names whose letters differ in case, as Windows loaders ask for them.
#include "fixture.hpp"

#include <doctest/doctest.h>

using namespace file_test;

namespace {
constexpr Way both[] = {Way::kernel, Way::steps};
}

TEST_CASE("without the setting the case of letters counts") {
  const Scratch scratch;
  scratch.file("Boot/BCD", "bcd");
  CHECK(Plugin(serving(scratch)).open("boot/bcd").status == TFTPKIT_DECLINED);
}

TEST_CASE("with the setting every part of the name is found in any case") {
  const Scratch scratch;
  scratch.file("Boot/X64/wdsnbp.COM", "nbp");
  for (const Way way : both) {
    Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}), way);
    for (const char* name : {"boot/x64/WDSNBP.com", "BOOT/X64/WDSNBP.COM", "Boot/X64/wdsnbp.COM"})
      CHECK(plugin.open(name).content == "nbp");
    CHECK(plugin.open("boot/x64/missing").status == TFTPKIT_DECLINED);
    CHECK(plugin.open("boot/x64").text == "is a directory");
  }
}

TEST_CASE("the exact name wins over every other") {
  const Scratch scratch;
  scratch.file("FILE", "upper");
  scratch.file("file", "lower");
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  CHECK(plugin.open("file").content == "lower");
  CHECK(plugin.open("FILE").content == "upper");
  CHECK(plugin.host.logged("more than one name") == 0);
}

TEST_CASE("of several that fit the first in byte order is taken, and that is said once") {
  const Scratch scratch;
  scratch.file("file", "lower");
  scratch.file("FILE", "upper");
  scratch.file("File", "mixed");
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  CHECK(plugin.open("fILE").content == "upper");
  CHECK(plugin.open("fILE").content == "upper");
  CHECK(plugin.host.logged("more than one name fits \"fILE\"") == 1);
}

TEST_CASE("a branch without the file is left again") {
  const Scratch scratch;
  scratch.file("boot/other", "x");
  scratch.file("Boot/BCD", "bcd");
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  CHECK(plugin.open("boot/bcd").content == "bcd");
  CHECK(plugin.open("boot/BCD").content == "bcd");
}

TEST_CASE(
    "the search does not leave the root, does not follow refused links and does not find hidden names") {
  const Scratch scratch;
  scratch.file("inside", "x");
  scratch.file(".Hidden", "x");
  scratch.link("Out", "..");
  scratch.link("Near", "inside");
  for (const Way way : both) {
    Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}), way);
    CHECK(plugin.open("out/root/inside").status != TFTPKIT_OK);
    CHECK(plugin.open("near").content == "x");
    CHECK(plugin.open(".hidden").status == TFTPKIT_DECLINED);
    Plugin strict(serving(scratch, {{"/case_insensitive", "true"}, {"/symlinks", "none"}}), way);
    CHECK(strict.open("near").status == TFTPKIT_E_ACCESS);
  }
}

TEST_CASE("only ASCII letters fold") {
  const Scratch scratch;
  scratch.file("\xc3\x84", "x");  // A with dots, upper case
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  CHECK(plugin.open("\xc3\xa4").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("\xc3\x84").status == TFTPKIT_OK);
}

TEST_CASE("a tree full of near names ends the search after 64 directories") {
  const Scratch scratch;
  std::vector<std::string> level = {""};
  for (int depth = 0; depth < 4; ++depth) {
    std::vector<std::string> next;
    for (const std::string& above : level)
      for (const char* name : {"aaa", "aaA", "aAa", "Aaa", "AAa", "AAA"})
        next.push_back(above + name + "/");
    level = next;
  }
  for (const std::string& directory : level)
    std::filesystem::create_directories(scratch.root() / directory);
  Plugin plugin(serving(scratch, {{"/case_insensitive", "true"}}));
  scratch.file("aAa/aaa/aaa/aaa/far", "far");  // behind 259 directories and more
  scratch.file("aaa/aaa/aaa/AAA/near", "near");
  CHECK(plugin.open("aaa/aaa/aaa/aaa/far").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("aaa/aaa/aaa/aaa/near").content == "near");
}
