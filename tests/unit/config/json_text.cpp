// config/json_text: JSON made and changed by rooms that do not know it.
#include "config/json_text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

using namespace tftpkit::config;

namespace {

std::string set(std::string_view object, std::string_view pointer, std::string_view value) {
  const auto changed = set_value(object, pointer, value);
  return changed ? *changed : text(changed.problems());
}

}  // namespace

TEST_CASE("an object is written in the order of its rows, with every type") {
  CHECK(json_object({{"root", std::string("/srv")},
                     {"a", std::int64_t{-1}},
                     {"b", std::uint64_t{2}},
                     {"c", 0.5},
                     {"d", true},
                     {"e", std::monostate{}},
                     {"f", std::numeric_limits<double>::quiet_NaN()}}) ==
        R"({"root":"/srv","a":-1,"b":2,"c":0.5,"d":true,"e":null,"f":null})");
  CHECK(json_object({}) == "{}");
}

TEST_CASE("strings are escaped, and foreign bytes cannot break the text") {
  CHECK(json_object({{"s", std::string("a\"\\\n\xff")}}) == "{\"s\":\"a\\\"\\\\\\n\xEF\xBF\xBD\"}");
}

TEST_CASE("made JSON nests") {
  const std::vector<JsonRow> rows = {{{"name", std::string("a")}}, {{"name", std::string("b")}}};
  CHECK(json_array(rows) == R"([{"name":"a"},{"name":"b"}])");
  CHECK(json_object({{"list", RawJson{json_array(rows)}}}) == R"({"list":[{"name":"a"},{"name":"b"}]})");
  CHECK(json_array({}) == "[]");
  CHECK(json_object({{"a", std::int64_t{1}}}, 2) == "{\n  \"a\": 1\n}");
}

TEST_CASE("an object that was written is read back, and other text is none") {
  const JsonRow row{{"yes", true},
                    {"count", std::uint64_t{7}},
                    {"below", std::int64_t{-7}},
                    {"text", std::string("a\n\"b\"")}};
  const auto back = json_row(json_object(row));
  REQUIRE(back);
  CHECK(json_object(*back) == json_object(row));
  CHECK(json_object(*json_row(R"({"nested": [1, {"a": null}]})")) == R"({"nested":[1,{"a":null}]})");
  CHECK_FALSE(json_row("[1]"));
  CHECK_FALSE(json_row("{"));
}

TEST_CASE("a value is set as JSON when it is JSON, else as text") {
  CHECK(set("{}", "/root", "/srv") == R"({"root":"/srv"})");
  CHECK(set("{}", "root", "/srv") == R"({"root":"/srv"})");
  CHECK(set(R"({"n":1})", "/n", "2") == R"({"n":2})");
  CHECK(set("{}", "/list", "[1,2]") == R"({"list":[1,2]})");
  CHECK(set("{}", "/on", "true") == R"({"on":true})");
  CHECK(set("{}", "/s", "\"5\"") == R"({"s":"5"})");
  CHECK(set("{}", "/s", "") == R"({"s":""})");
}

TEST_CASE("objects on the way are made, elements are replaced or put at the end") {
  CHECK(set("{}", "retry/tries", "3") == R"({"retry":{"tries":3}})");
  CHECK(set(R"({"l":[1]})", "/l/0", "2") == R"({"l":[2]})");
  CHECK(set(R"({"l":[1]})", "/l/-", "2") == R"({"l":[1,2]})");
  CHECK(set(R"({"l":[1]})", "/l/1/x", "2") == R"({"l":[1,{"x":2}]})");
  CHECK(set("{}", "/a~1b~0c", "1") == R"({"a/b~c":1})");
}

TEST_CASE("what cannot be set is said") {
  CHECK(set(R"({"l":[1]})", "/l/5", "2") == "/l/5: there is no such element; the array has 1");
  CHECK(set(R"({"l":[1]})", "/l/x", "2") == "/l/x: there is no such element; the array has 1");
  CHECK(set(R"({"a":1})", "/a/b", "2") == "/a: 1 has nothing below it");
  CHECK(set("{}", "/", "2").find("the name of the setting is missing") == 0);
  CHECK(set("{", "/a", "2").find("line 1, column") == 0);
}

TEST_CASE("settings from the command line must be an object") {
  CHECK(*settings_object("{ \"a\": 1 } // comment") == R"({"a":1})");
  CHECK(text(settings_object("[]").problems()).starts_with("expected an object, not an array"));
  CHECK(text(settings_object("{\"a\":1,\"a\":2}").problems()).starts_with("/a: the key is there twice"));
}

TEST_CASE("JSON that comes out holds nothing that a terminal obeys or is deceived by, and the same text") {
  const std::string nasty =
      "a\x1b\x7f\xc2\x9b\xc2\x85\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf\xc3\xa9\xe2\x82\xac\\\"";
  const std::string json = json_object({{"s", nasty}});
  CHECK(json == "{\"s\":\"a\\u001b\\u007f\\u009b\\u0085\\u202e\\u2028\\ufeff\xc3\xa9\xe2\x82\xac\\\\\\\"\"}");
  const auto back = json_row(json);
  REQUIRE(back);
  CHECK(std::get<std::string>(back->front().second) == nasty);
  CHECK(json_object({{"s", std::string("\xff")}}) == "{\"s\":\"\xef\xbf\xbd\"}");
}
