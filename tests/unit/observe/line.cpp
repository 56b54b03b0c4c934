// observe/line: one event, two ways to write it.
#include "observe/line.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <limits>
#include <string>

using namespace tftpkit::observe;

namespace {

const std::chrono::system_clock::time_point moment{std::chrono::milliseconds(1'795'425'383'120)};

std::string text_of(std::initializer_list<Field> fields, Level level = Level::info, bool colour = false) {
  std::string out;
  append_text_line(out, {moment, level, "served", std::span(fields.begin(), fields.size())}, colour);
  return out;
}

std::string json_of(std::initializer_list<Field> fields) {
  std::string out;
  append_json_line(out, {moment, Level::warning, "served", std::span(fields.begin(), fields.size())});
  return out;
}

}  // namespace

TEST_CASE("a text line is time, level, message and fields") {
  CHECK(text_of({{"file", "a.txt"}, {"bytes", 12U}, {"seconds", 0.25}, {"wrapped", false}, {"delta", -3}}) ==
        "2026-11-23T09:16:23.120Z info    served file=a.txt bytes=12 seconds=0.25 wrapped=false delta=-3\n");
}

TEST_CASE("text values with spaces, quotes or equals signs are quoted, and empty ones too") {
  CHECK(text_of({{"a", "two words"}, {"b", "x=y"}, {"c", ""}, {"d", "say \"hi\""}})
            .ends_with("served a=\"two words\" b=\"x=y\" c=\"\" d=\"say \\\"hi\\\"\"\n"));
}

TEST_CASE("a peer's text cannot begin a line of its own or colour the terminal") {
  const std::string line = text_of({{"file", "x\n2026-01-01 error\x1b[2J"}});
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find('\x1b') == std::string::npos);
}

TEST_CASE("colour is around the level only, and only when asked for") {
  CHECK(text_of({}, Level::error, true).find("\x1b[31merror  \x1b[0m served") != std::string::npos);
  CHECK(text_of({}, Level::error, false).find('\x1b') == std::string::npos);
}

TEST_CASE("a JSON line holds the types of the fields") {
  CHECK(json_of({{"file", "a \"b\" \\c"}, {"bytes", 12U}, {"seconds", 0.25}, {"yes", true}}) ==
        "{\"time\":\"2026-11-23T09:16:23.120Z\",\"level\":\"warning\",\"message\":\"served\","
        "\"file\":\"a \\\"b\\\" \\\\c\",\"bytes\":12,\"seconds\":0.25,\"yes\":true}\n");
}

TEST_CASE("JSON text holds control characters as \\u and foreign bytes as \\x") {
  CHECK(json_of({{"f", "a\x1b\n\xff"
                       "b"}})
            .find(R"("f":"a\u001b\u000a\\xffb")") != std::string::npos);
}

TEST_CASE("what JSON has no number for is null") {
  CHECK(json_of({{"f", std::numeric_limits<double>::infinity()}}).find("\"f\":null") != std::string::npos);
}

TEST_CASE("a very long text is cut") {
  const std::string text(100'000, 'x');
  CHECK(text_of({{"f", text}}).size() < 3000);
  CHECK(json_of({{"f", text}}).size() < 3000);
}

TEST_CASE("times before 1970 and whole seconds are right") {
  std::string out;
  append_text_line(
      out, {std::chrono::system_clock::time_point(std::chrono::milliseconds(-1)), Level::info, "m", {}},
      false);
  CHECK(out.starts_with("1969-12-31T23:59:59.999Z"));
}
