// config/glob: which paths a pattern means, which patterns are wrong, and that none is slow.
#include "config/glob.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using tftpkit::config::Glob;

namespace {

bool matches(std::string_view pattern, std::string_view path) {
  return Glob(pattern).matches(path);
}

std::string refusal(std::string_view pattern) {
  try {
    const Glob glob(pattern);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a pattern without wildcards matches itself only") {
  CHECK(matches("boot/grub.cfg", "boot/grub.cfg"));
  CHECK_FALSE(matches("boot/grub.cfg", "boot/grub.cfgx"));
  CHECK_FALSE(matches("boot/grub.cfg", "boot/grub.cf"));
  CHECK_FALSE(matches("boot/grub.cfg", "Boot/grub.cfg"));
}

TEST_CASE("* stays within one part") {
  CHECK(matches("pxelinux.cfg/*", "pxelinux.cfg/default"));
  CHECK(matches("pxelinux.cfg/*", "pxelinux.cfg/"));
  CHECK_FALSE(matches("pxelinux.cfg/*", "pxelinux.cfg/a/b"));
  CHECK(matches("*.cfg", "a.cfg"));
  CHECK_FALSE(matches("*.cfg", "d/a.cfg"));
  CHECK(matches("a*b*c", "aXbYc"));
  CHECK(matches("a*b*c", "abbbc"));
  CHECK_FALSE(matches("a*b*c", "ab"));
}

TEST_CASE("** crosses parts") {
  CHECK(matches("**", "a/b/c"));
  CHECK(matches("**", ""));
  CHECK(matches("boot/**", "boot/a/b"));
  CHECK_FALSE(matches("boot/**", "boot"));
  CHECK(matches("a**z", "a/b/z"));
}

TEST_CASE("**/ is any number of whole parts, also none") {
  CHECK(matches("**/grub.cfg", "grub.cfg"));
  CHECK(matches("**/grub.cfg", "a/b/grub.cfg"));
  CHECK_FALSE(matches("**/grub.cfg", "a/xgrub.cfg"));
  CHECK(matches("a/**/b", "a/b"));
  CHECK(matches("a/**/b", "a/x/y/b"));
  CHECK_FALSE(matches("a/**/b", "axb"));
  CHECK(matches("**/*.efi", "EFI/BOOT/BOOTX64.efi"));
  CHECK(matches("**/a/**/b", "x/a/a/y/b"));
}

TEST_CASE("? is one character, also a long one, but no slash") {
  CHECK(matches("a?c", "abc"));
  CHECK(matches("a?c", "a\xE2\x82\xAC"
                       "c"));
  CHECK_FALSE(matches("a?c", "a/c"));
  CHECK_FALSE(matches("a?c", "ac"));
  CHECK_FALSE(matches("a?", "a"));
}

TEST_CASE("sets, ranges and their opposites") {
  CHECK(matches("[abc]", "b"));
  CHECK_FALSE(matches("[abc]", "d"));
  CHECK(matches("01-[0-9a-f][0-9a-f]", "01-9f"));
  CHECK_FALSE(matches("01-[0-9a-f][0-9a-f]", "01-9F"));
  CHECK(matches("[!a]", "b"));
  CHECK_FALSE(matches("[^a]", "a"));
  CHECK_FALSE(matches("a[!b]c", "a/c"));
  CHECK_FALSE(matches("a[/]c", "a/c"));
  CHECK(matches("[]]", "]"));
  CHECK(matches("[!]]", "a"));
  CHECK(matches("[a-]", "-"));
  CHECK(matches("[\\]x]", "]"));
  CHECK(matches("[ä-ö]", "ö"));
}

TEST_CASE("a backslash makes the next character plain") {
  CHECK(matches("a\\*", "a*"));
  CHECK_FALSE(matches("a\\*", "ab"));
  CHECK(matches("\\[x", "[x"));
  CHECK(matches("a\\\\b", "a\\b"));
}

TEST_CASE("wrong patterns are refused with the reason") {
  CHECK(refusal("") == "the pattern is empty");
  CHECK(refusal("ab[cd") == "the '[' at character 3 has no ']'");
  CHECK(refusal("[") == "the '[' at character 1 has no ']'");
  CHECK(refusal("[]") == "the '[' at character 1 has no ']'");
  CHECK(refusal("[a\\") == "the '[' at character 1 has no ']'");
  CHECK(refusal("[z-a]") == "a range in the '[' at character 1 runs backwards");
  CHECK(refusal("a\\") == "the pattern ends with a lone '\\'");
  CHECK(refusal("a\xff*") == "the pattern is not UTF-8");
  CHECK(refusal(std::string("a\0b", 3)) == "the pattern holds a NUL");
  std::string many;
  for (int i = 0; i < 1001; ++i)
    many += '?';
  CHECK(refusal(many) == "the pattern has more than 1000 elements");
  CHECK(refusal(many.substr(1)).empty());
  CHECK(Glob(many.substr(1)).matches(std::string(1000, 'x')));
}

TEST_CASE("repeated stars are one star") {
  CHECK(matches("a****b", "a/x/b"));
  CHECK(matches(std::string(5000, '*'), "a/b"));
  CHECK(matches("**/**/**/x", "x"));
}

TEST_CASE("a path that is no UTF-8 harms nothing") {
  CHECK(matches("*", "\xff\xfe"));
  CHECK_FALSE(matches("[a-z]", "\xff"));
}

TEST_CASE("patterns made to blow up are answered") {
  // With backtracking this takes longer than the age of the universe.
  std::string pattern, path(4000, 'a');
  for (int i = 0; i < 40; ++i)
    pattern += "**a*";
  CHECK_FALSE(matches(pattern + "b", path));
  CHECK(matches(pattern, path));
  std::string parts, deep;
  for (int i = 0; i < 60; ++i)
    parts += "**/*a*/";
  for (int i = 0; i < 500; ++i)
    deep += "aaaa/";
  CHECK_FALSE(matches(parts + "x", deep + "a"));
}
