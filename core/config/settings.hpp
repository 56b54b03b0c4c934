// A plugin's settings against the plugin's own JSON Schema (draft 7): checked, completed, normalised. It
// knows nothing of any particular plugin; a schema that is itself broken is the plugin's fault and says so.
//
// Beyond draft 7 four formats change the value that the plugin gets:
//   "size"      "64KiB", "1GiB", "512"        -> a number of bytes
//   "duration"  "250ms", "3s", "5m", "1h"     -> a number of milliseconds
//   "path"      relative                      -> absolute, from the directory of the configuration file
//   "secret"    "@FILE"                       -> the content of FILE without one newline at its end ("@@x" is
//   "@x");
//                                                its value is in no message
// Where the schema's type also allows "integer", a size or duration may be given as the number itself.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "host/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::config {

// `settings` is the text of a JSON object; `schema` may be empty, then only {} is right. Problems carry
// origin.file and pointers below origin.pointer. `plugin` is the name to blame for a broken schema.
[[nodiscard]] Checked<host::Settings> check_settings(std::string_view settings, std::string_view schema,
                                                     const Origin& origin, std::string_view plugin);

// One setting for people to read; objects are spread out as "retry/tries", array elements as
// "rules/*/match". The plugin's own words, as they came: whoever shows them escapes them.
struct SettingRow {
  std::string name;
  std::string type;      // "string", "integer", "size", "one of octet, netascii", "list of string", ...
  std::string fallback;  // the default as JSON, or ""
  bool required = false;
  std::string help;  // the schema's description, or ""
};

// The rows of a schema in the order of its text; none for an empty schema.
[[nodiscard]] Checked<std::vector<SettingRow>> schema_table(std::string_view schema, std::string_view plugin);

// Does every setting have a default or may be left out, so that {} is a right settings object?
[[nodiscard]] bool needs_no_settings(std::string_view schema);

}  // namespace tftpkit::config
