// observe/escape: nothing that a peer wrote reaches a terminal as a command or a lie.
#include "observe/escape.hpp"

#include <doctest/doctest.h>

#include <string>

using tftpkit::observe::escaped;
using tftpkit::observe::escaped_prose;
using tftpkit::observe::utf8_length;

TEST_CASE("plain text and whole UTF-8 characters stay as they are") {
  CHECK(escaped("pxelinux.cfg/01-88") == "pxelinux.cfg/01-88");
  CHECK(escaped("Größe \xE2\x82\xAC \xF0\x9F\x98\x80") == "Größe \xE2\x82\xAC \xF0\x9F\x98\x80");
  CHECK(escaped("").empty());
}

TEST_CASE("control characters become their number") {
  CHECK(escaped("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(escaped("a\r\n\tb") == "a\\x0d\\x0a\\x09b");
  CHECK(escaped(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(escaped("\x7f") == "\\x7f");
}

TEST_CASE("C1 controls, also written as UTF-8, become their number") {
  CHECK(escaped("\xC2\x9B") == "\\xc2\\x9b");
  CHECK(escaped("\x9B") == "\\x9b");
}

TEST_CASE("characters that reorder or hide text become their number") {
  CHECK(escaped("a\xE2\x80\xAE"
                "b") == "a\\xe2\\x80\\xaeb");
  CHECK(escaped("\xE2\x80\x8B") == "\\xe2\\x80\\x8b");
  CHECK(escaped("\xEF\xBB\xBF") == "\\xef\\xbb\\xbf");
}

TEST_CASE("a backslash is doubled, so that no text can imitate an escaped one") {
  CHECK(escaped("\\x1b") == "\\\\x1b");
}

TEST_CASE("in prose a backslash stays") {
  CHECK(escaped_prose("\\0 to \\9\x1b") == "\\0 to \\9\\x1b");
}

TEST_CASE("bytes that are no UTF-8 become their numbers, one by one") {
  CHECK(escaped("\xC0\xAF") == "\\xc0\\xaf");                    // overlong '/'
  CHECK(escaped("\xED\xA0\x80") == "\\xed\\xa0\\x80");           // surrogate
  CHECK(escaped("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(escaped("\xE2\x82") == "\\xe2\\x82");                    // cut
  CHECK(escaped("\xFF"
                "a") == "\\xffa");
}

TEST_CASE("a limit cuts between characters and says so") {
  CHECK(escaped("abcdef", 3) == "abc...");
  CHECK(escaped("abc", 3) == "abc");
  CHECK(escaped("ab\xE2\x82\xAC", 3) == "ab...");
}

TEST_CASE("the length of a character is known and 0 for none") {
  CHECK(utf8_length("a") == 1);
  CHECK(utf8_length("\xC3\xA4x") == 2);
  CHECK(utf8_length("\xF0\x9F\x98\x80") == 4);
  CHECK(utf8_length("\x80") == 0);
  CHECK(utf8_length("") == 0);
}
