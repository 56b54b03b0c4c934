// The JSON library behind one door: text to a document, with every complaint that the text itself can earn.
// Only the sources of this room include it.
#pragma once

#include "config/report.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::config {

using Json = nlohmann::ordered_json;

// // and /* */ comments are allowed. Wrong syntax is reported with line and column, duplicate keys with their
// pointer below `pointer`; more than 64 levels are refused. nullopt: something was reported.
[[nodiscard]] std::optional<Json> parse(std::string_view text, const std::string& pointer, Report& report);

// "an object", "a string", "a whole number", ... for messages.
[[nodiscard]] std::string_view kind_of(const Json& value) noexcept;

// The value as a person would recognise it: one line, escaped, cut when long.
[[nodiscard]] std::string shown(const Json& value);

// One line (indent < 0) or several; never throws for bytes that are no UTF-8.
[[nodiscard]] std::string dumped(const Json& value, int indent = -1);

}  // namespace tftpkit::config
