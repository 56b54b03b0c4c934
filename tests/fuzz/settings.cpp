// A plugin's settings against the plugin's own schema, either of which may be anything.
// Input: the schema, "%%" on a line, the settings.
#include "config/settings.hpp"

#include "config/json_text.hpp"
#include "input.hpp"

#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;

void check(const config::Problems& problems) {
  claim(!problems.empty(), "what is refused has a reason");
  for (const auto& problem : problems)
    claim(!problem.what.empty() && fuzz::is_plain_line(config::text(problem)), "a problem is one plain line");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  const std::string schema(parts[0]);
  if (schema.find("\"secret\"") != std::string::npos) return 0;  // reads a file that the settings name
  const config::Origin origin{"tftpkit.json", "/instances/0/settings", "/etc"};
  const auto checked = config::check_settings(parts[1], schema, origin, "plugin");
  if (!checked) {
    check(checked.problems());
  } else {
    claim(config::json_row(checked->json).has_value(), "checked settings are an object");
    const auto again = config::check_settings(checked->json, "{}", origin, "plugin");
    claim(static_cast<bool>(again) && again->json == checked->json, "checked settings are what they say");
    for (const auto& [pointer, count] : checked->counts)
      claim(checked->texts.contains(pointer), "what has elements has a text");
  }
  if (const auto rows = config::schema_table(schema, "plugin"); !rows) check(rows.problems());
  if (const auto changed = config::set_value(parts[1], "/a/b", "1"))
    claim(config::json_row(*changed).has_value(), "an object that is changed is one");
  return 0;
}
