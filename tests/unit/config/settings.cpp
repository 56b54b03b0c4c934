// config/settings: a plugin's settings against its schema, with the words that a person reads.
#include "config/settings.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace tftpkit::config;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view schema = R"json({
  "type": "object", "additionalProperties": false, "required": ["root"],
  "definitions": {"tries": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
  "properties": {
    "root": {"type": "string", "format": "path", "minLength": 1, "description": "The directory that is served."},
    "mode": {"type": "string", "enum": ["fast", "careful"], "default": "fast"},
    "limit": {"type": ["integer", "string"], "format": "size", "minimum": 1024, "default": "1MiB"},
    "note_size": {"type": "string", "format": "size"},
    "wait": {"type": ["string", "integer"], "format": "duration", "maximum": 60000},
    "token": {"type": "string", "format": "secret", "minLength": 4},
    "retry": {"type": "object", "default": {}, "additionalProperties": false,
              "properties": {"tries": {"$ref": "#/definitions/tries"}, "on": {"type": "boolean", "default": true}}},
    "rules": {"type": "array", "maxItems": 3, "uniqueItems": true, "items": {
      "type": "object", "required": ["match"], "additionalProperties": false,
      "properties": {"match": {"type": "string", "pattern": "^[a-z]+$"}, "repeat": {"type": "boolean", "default": false}}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}},
    "ratio": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
    "either": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^x"}]}
  }})json";

const Origin origin{"t.json", "/instances/0/settings", "/etc/tftpkit"};

tftpkit::host::Settings right(std::string_view settings, std::string_view with = schema) {
  auto checked = check_settings(settings, with, origin, "demo");
  REQUIRE_MESSAGE(checked, text(checked.problems()));
  return *checked;
}

// What is said, without the file and the pointer of the settings object.
std::string said_of(std::string_view settings, std::string_view with = schema,
                    const fs::path& base_dir = "/etc/tftpkit") {
  return text(check_settings(settings, with, {"", "", base_dir}, "demo").problems());
}

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tftpkit-settings-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

TEST_CASE("defaults are filled in at every depth that is there") {
  const auto settings =
      right(R"({"root": "/srv", "rules": [{"match": "a"}, {"match": "b", "repeat": true}]})");
  CHECK(settings.texts.at("/mode") == "fast");
  CHECK(settings.integers.at("/limit") == 1 << 20);
  CHECK(settings.integers.at("/retry/tries") == 3);
  CHECK(settings.integers.at("/retry/on") == 1);
  CHECK(settings.texts.at("/rules/0/repeat") == "false");
  CHECK(settings.integers.at("/rules/1/repeat") == 1);
  CHECK_FALSE(settings.texts.contains("/wait"));
}

TEST_CASE("values are found by pointer, as text, number and count") {
  const auto settings =
      right(R"({"root": "/srv", "labels": {"a/b": "x"}, "rules": [{"match": "a"}], "ratio": 1.5})");
  CHECK(settings.texts.at("/labels/a~1b") == "x");
  CHECK(settings.counts.at("/labels") == 1);
  CHECK(settings.counts.at("/rules") == 1);
  CHECK(settings.counts.at("/rules/0") == 2);
  CHECK(settings.texts.at("/rules/0") == R"({"match":"a","repeat":false})");
  CHECK(settings.texts.at("/ratio") == "1.5");
  CHECK_FALSE(settings.integers.contains("/ratio"));
  CHECK_FALSE(settings.counts.contains("/root"));
  CHECK(settings.texts.at("") == settings.json);
}

TEST_CASE("sizes become bytes and durations milliseconds, also in the JSON") {
  const auto settings = right(R"({"root": "/srv", "limit": "64KiB", "wait": "3s", "note_size": "2KiB"})");
  CHECK(settings.integers.at("/limit") == 65536);
  CHECK(settings.integers.at("/wait") == 3000);
  CHECK(settings.integers.at("/note_size") == 2048);
  CHECK(settings.json.find("\"limit\":65536") != std::string::npos);
  CHECK(right(R"({"root": "/srv", "limit": 2048, "wait": 5})").integers.at("/wait") == 5);
}

TEST_CASE("checking the checked settings again changes nothing") {
  const std::string once = right(R"({"root": "a", "limit": "64KiB", "wait": "3s"})").json;
  CHECK(right(once).json == once);
}

TEST_CASE("paths become absolute from the directory of the configuration") {
  CHECK(right(R"({"root": "files/../boot"})").texts.at("/root") == "/etc/tftpkit/boot");
  CHECK(right(R"({"root": "/srv"})").texts.at("/root") == "/srv");
}

TEST_CASE("a secret is read from its file, without the last newline") {
  const Folder folder;
  std::ofstream(folder.path / "token") << "hunter2\n\n";
  std::ofstream(folder.path / "short") << "abc\n";
  std::ofstream(folder.path / "binary") << "abc\xff";
  const Origin there{"t.json", "", folder.path};
  const auto settings = check_settings(R"({"root": "/", "token": "@token"})", schema, there, "demo");
  REQUIRE(settings);
  CHECK(settings->texts.at("/token") == "hunter2\n");
  CHECK(right(R"({"root": "/", "token": "plain"})").texts.at("/token") == "plain");
  CHECK(right(R"({"root": "/", "token": "@@home"})").texts.at("/token") == "@home");
  CHECK(
      said_of(R"({"root": "/", "token": "@none"})", schema, folder.path).find("No such file or directory") !=
      std::string::npos);
  CHECK(said_of(R"({"root": "/", "token": "@binary"})", schema, folder.path).find("not UTF-8 text") !=
        std::string::npos);
  CHECK(said_of(R"({"root": "/", "token": "@short"})", schema, folder.path) ==
        "/token: 3 characters are too few; write at least 4");
}

TEST_CASE("a secret is in no message") {
  for (const char* settings : {R"({"root": "/", "token": 56789})", R"({"root": 1, "token": "s3cret"})",
                               R"({"root": "/", "token": ["s3cret"]})", R"({"token": "s3cret" "x": 1})",
                               R"({"root": "/", "token": s3cret})"}) {
    CAPTURE(settings);
    const std::string said = said_of(settings);
    CHECK_FALSE(said.empty());
    CHECK(said.find("s3cret") == std::string::npos);
    CHECK(said.find("56789") == std::string::npos);
  }
}

TEST_CASE("each wrong setting is named with what would be right") {
  struct Mistake {
    const char* settings;
    const char* said;
  };
  const Mistake mistakes[] = {
      {"{}", "\"root\" is missing; it is a path in quotes: The directory that is served."},
      {R"({"root": ""})", "/root: it is empty; write at least 1"},
      {R"({"root": 5})", "/root: expected a path in quotes, not 5"},
      {R"({"root": "/", "mdoe": "fast"})", "/mdoe: unknown setting \"mdoe\"; did you mean \"mode\"?"},
      {R"({"root": "/", "mode": "carful"})",
       "/mode: \"carful\" is not allowed here, only \"fast\" or \"careful\"; did you mean \"careful\"?"},
      {R"({"root": "/", "limit": "64k"})", "/limit: \"64k\" is not a size; did you mean \"64KiB\"?"},
      {R"({"root": "/", "limit": 5})", "/limit: 5 is out of range; write at least 1024"},
      {R"({"root": "/", "limit": "1KiB", "wait": "2m"})",
       "/wait: 120000 is out of range; write at most 60000"},
      {R"({"root": "/", "limit": true})", "/limit: expected a size such as \"64KiB\" or \"1GiB\", not true"},
      {R"({"root": "/", "note_size": 5})",
       "/note_size: expected a size such as \"64KiB\" or \"1GiB\", not 5"},
      {R"({"root": "/", "wait": "5"})", "/wait: \"5\" has no unit; did you mean \"5s\" or \"5ms\"?"},
      {R"({"root": "/", "retry": {"tries": 10}})", "/retry/tries: 10 is out of range; write at most 9"},
      {R"({"root": "/", "retry": {"tries": "3"}})", "/retry/tries: expected a whole number, not \"3\""},
      {R"({"root": "/", "retry": {"try": 3}})",
       "/retry/try: unknown setting \"try\"; there are \"tries\" and \"on\""},
      {R"({"root": "/", "rules": [{}]})", "/rules/0: \"match\" is missing; it is a string"},
      {R"({"root": "/", "rules": [{"match": "A"}]})",
       "/rules/0/match: \"A\" does not match the pattern \"^[a-z]+$\""},
      {R"({"root": "/", "rules": [{"match": "a"}, {"match": "a"}]})", "/rules/1: an object is there twice"},
      {R"({"root": "/", "labels": {"x": "long"}})", "/labels/x: 4 characters are too many; write at most 3"},
      {R"({"root": "/", "ratio": 0})", "/ratio: 0 is out of range; write more than 0"},
      {R"({"root": "/", "ratio": 0.7})", "/ratio: 0.7 is out of range; write a multiple of 0.5"},
      {"[]", "expected an object, not an array; write { ... }"},
      {R"({"root": "/", "root": "/"})", "/root: the key is there twice; remove one of the two"},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.settings);
    CHECK(said_of(mistake.settings) == std::string(mistake.said));
  }
}

TEST_CASE("all mistakes are found at once, below the place of the settings in the file") {
  const auto checked = check_settings(R"({"mode": 1, "limit": "x", "zzz": 2})", schema, origin, "demo");
  CHECK(checked.problems().size() == 4);
  CHECK(text(checked.problems()).find("t.json: /instances/0/settings/mode: expected a string, not 1") !=
        std::string::npos);
}

TEST_CASE("what only the validator understands is still refused, with a place") {
  CHECK(said_of(R"({"root": "/", "either": "y"})").find("/either: ") == 0);
  CHECK(right(R"({"root": "/", "either": "xy"})").texts.at("/either") == "xy");
}

TEST_CASE("a plugin without a schema takes no settings") {
  CHECK(right("{}", "").json == "{}");
  CHECK(said_of(R"({"a": 1})", "") == "the plugin \"demo\" takes no settings; remove them");
}

TEST_CASE("a broken schema is the plugin's fault") {
  for (
      const char* broken :
      {"{", "[]", R"({"type": "strng"})", R"({"properties": {"a": {"pattern": "("}}})",
       R"({"properties": {"a": {"$ref": "#/definitions/none"}}})", R"({"properties": []})",
       R"({"properties": {"a": 5}})", R"({"$ref": "http://example.net/schema"})",
       R"({"definitions": {"a": {"$ref": "#/definitions/a"}}, "properties": {"x": {"$ref": "#/definitions/a"}}})",
       R"({"patternProperties": {"[": {}}})", R"({"allOf": {}})", R"({"minimum": "x"})"}) {
    CAPTURE(broken);
    const std::string said = said_of("{}", broken);
    CHECK(said.starts_with("the settings schema of the plugin \"demo\" is broken: "));
    CHECK(said.ends_with("; this is the plugin's mistake, not the configuration's"));
    CHECK_FALSE(schema_table(broken, "demo"));
    CHECK_FALSE(needs_no_settings(broken));
  }
  CHECK(said_of("{}", R"({"type": "strng"})").find("\"strng\" is not a type; did you mean \"string\"?") !=
        std::string::npos);
}

TEST_CASE("a default that the schema itself refuses is the plugin's fault") {
  CHECK(said_of("{}", R"({"properties": {"a": {"type": "integer", "default": "x"}}})") ==
        "/a: expected a whole number, not \"x\"; this is the default of the plugin \"demo\": the plugin's "
        "mistake");
}

TEST_CASE("a schema that leads back to itself ends") {
  const char* tree =
      R"({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer", "default": 1}}})";
  CHECK(right(R"({"next": {"next": {}}})", tree).integers.at("/next/next/n") == 1);
  CHECK(schema_table(tree, "demo")->size() > 2);
}

TEST_CASE("a schema that leads back to itself without end, or by ways that double, is the plugin's fault") {
  for (const char* endless :
       {R"({"allOf": [{"$ref": "#"}]})", R"({"not": {"$ref": "#"}})", R"({"if": {"anyOf": [{"$ref": "#"}]}})",
        R"({"allOf": [{"$ref": "#"}, {"$ref": "#"}]})",
        R"({"properties": {"a": {"default": {}, "allOf": [{"$ref": "#"}, {"$ref": "#"}]}}})",
        R"({"dependencies": {"a": {"$ref": "#"}}})"}) {
    CAPTURE(endless);
    CHECK(said_of(R"({"a": {}})", endless).find("it leads back to itself without end") != std::string::npos);
  }
}

TEST_CASE("a plugin with a required setting needs settings, one with defaults does not") {
  CHECK_FALSE(needs_no_settings(schema));
  CHECK(needs_no_settings(""));
  CHECK(needs_no_settings(R"({"properties": {"a": {"type": "integer", "default": 1}}})"));
}

TEST_CASE("the table has a row for each setting, in the order of the schema") {
  const auto table = schema_table(schema, "demo");
  REQUIRE(table);
  REQUIRE(table->size() == 15);
  const auto& rows = *table;
  CHECK(rows[0].name == "root");
  CHECK(rows[0].type == "path");
  CHECK(rows[0].required);
  CHECK(rows[0].help == "The directory that is served.");
  CHECK(rows[1].type == "one of fast, careful");
  CHECK(rows[1].fallback == "\"fast\"");
  CHECK(rows[2].type == "size");
  CHECK(rows[7].name == "retry/tries");
  CHECK(rows[7].fallback == "3");
  CHECK(rows[9].name == "rules");
  CHECK(rows[9].type == "list of object");
  CHECK(rows[10].name == "rules/*/match");
  CHECK(rows[10].required);
  CHECK(schema_table("", "demo")->empty());
}

TEST_CASE("the table has the plugin's words as they came") {
  const auto table = schema_table(
      R"({"properties": {"a\\b": {"type": "string", "enum": ["x\\y"], "default": "\\", "description": "not C:\\dir"}}})",
      "demo");
  REQUIRE(table);
  const auto& row = table->at(0);
  CHECK(row.name == "a\\b");
  CHECK(row.type == "one of x\\y");
  CHECK(row.fallback == R"("\\")");
  CHECK(row.help == "not C:\\dir");
}
