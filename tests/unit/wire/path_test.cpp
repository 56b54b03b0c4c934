#include "wire/path.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace tftpkit::wire;

namespace {

std::string cleaned(std::string_view name) {
  const auto result = clean_path(name);
  const auto* path = std::get_if<std::string>(&result);
  return path != nullptr ? *path : "refused: " + std::get<Reject>(result).text;
}

ErrorCode refusal(std::string_view name) {
  const auto result = clean_path(name);
  REQUIRE(std::holds_alternative<Reject>(result));
  return std::get<Reject>(result).code;
}

}  // namespace

TEST_CASE("clients.md annex 10: the spellings of firmware lead to one path") {
  CHECK(cleaned("pxelinux.0") == "pxelinux.0");
  CHECK(cleaned("/grub/grub.cfg") == "grub/grub.cfg");
  CHECK(cleaned("//a///b") == "a/b");
  CHECK(cleaned("dir//x") == "dir/x");
  CHECK(cleaned("\\Boot\\BCD") == "Boot/BCD");
  CHECK(cleaned("boot\\x64/wdsnbp.com") == "boot/x64/wdsnbp.com");
  CHECK(cleaned("a/./b/../x") == "a/x");
  CHECK(cleaned("./x") == "x");
  CHECK(cleaned("dtb/") == "dtb");
  CHECK(cleaned("pxelinux.0\xff") == "pxelinux.0");
  CHECK(cleaned("pxelinux.0\xff\xff") == "pxelinux.0");
  CHECK(cleaned("with space") == "with space");
  CHECK(cleaned("...") == "...");
  CHECK(cleaned("..a/b..") == "..a/b..");
  CHECK(cleaned("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("a path that leaves the root is ERROR 2, in every spelling") {
  for (const auto* name : {"..", "../x", "/../x", "\\..\\x", "a/../../x", "./../x", "a\\..\\..\\etc/passwd",
                           "pxelinux.cfg/../../../etc/passwd", "x/../..", "//..//x"})
    CHECK_MESSAGE(refusal(name) == ErrorCode::access_violation, name);
}

TEST_CASE("a path that climbs and stays inside is resolved") {
  CHECK(cleaned("a/b/../../c") == "c");
  CHECK(cleaned("a/../b") == "b");
}

TEST_CASE("a name with nothing left names a directory: ERROR 2") {
  for (const auto* name : {"/", "\\", ".", "./", "a/..", "//", "\xff"})
    CHECK_MESSAGE(refusal(name) == ErrorCode::access_violation, name);
  CHECK(cleaned("/").find("directory") != std::string::npos);
}

TEST_CASE("text that cannot be a name is ERROR 1 and the text says why") {
  CHECK(refusal("a\nb") == ErrorCode::file_not_found);
  CHECK(cleaned("a\x01").find("control") != std::string::npos);
  CHECK(cleaned("a\x7f").find("control") != std::string::npos);
  CHECK(cleaned("a\xc2\x85").find("control") != std::string::npos);
  CHECK(refusal("a\xff"
                "b") == ErrorCode::file_not_found);
  CHECK(cleaned("\x80x").find("UTF-8") != std::string::npos);
}

TEST_CASE("overlong forms, surrogates, cut and too large characters are not UTF-8") {
  for (const auto* name : {"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "x\xc3", "x\xe2\x82", "\xf8\x88\x80\x80\x80", "\xc3(", "..\xc0\xaf.."})
    CHECK_MESSAGE(cleaned(name).find("UTF-8") != std::string::npos, name);
  CHECK(cleaned("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf");
}

TEST_CASE("a clean path stays as it is") {
  for (const auto* name : {"a", "a/b/c", "pxelinux.cfg/01-52-54-00-ab-cd-01", "d\xc3\xa9j\xc3\xa0/vu"})
    CHECK(cleaned(cleaned(name)) == name);
}
