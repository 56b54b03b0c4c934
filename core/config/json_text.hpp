// JSON as text, for rooms and tools that must not know JSON: made from rows of values, or changed in one
// place.
#pragma once

#include "config/problem.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tftpkit::config {

// JSON text that is put in as it is, to nest: RawJson{json_array(rows)}.
struct RawJson {
  std::string text;
};

// std::monostate is null. Strings may hold any bytes; what is not UTF-8 comes out as U+FFFD.
using JsonValue =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, RawJson>;
// An object, in the order of its members.
using JsonRow = std::vector<std::pair<std::string, JsonValue>>;

// {"root": "/srv"} on one line, or over several with `indent` spaces a level.
[[nodiscard]] std::string json_object(const JsonRow& row, int indent = -1);
// [{...}, {...}]
[[nodiscard]] std::string json_array(std::span<const JsonRow> rows, int indent = -1);

// The other way: the members of an object, nested ones as RawJson. nullopt: the text is no object.
[[nodiscard]] std::optional<JsonRow> json_row(std::string_view text);

// Sets one value in the text of a JSON object and gives the new text. `pointer` is a JSON pointer
// ("/retry/tries", the first slash may be left out), objects on the way are made; `value` is JSON, or else a
// plain string.
[[nodiscard]] Checked<std::string> set_value(std::string_view object, std::string_view pointer,
                                             std::string_view value);

// The settings object of `--set JSON` on the command line; the same rules for comments and duplicate keys as
// in a file.
[[nodiscard]] Checked<std::string> settings_object(std::string_view json);

}  // namespace tftpkit::config
