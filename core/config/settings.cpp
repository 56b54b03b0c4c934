#include "config/settings.hpp"

#include "config/explain.hpp"
#include "config/nearest.hpp"
#include "config/normalise.hpp"
#include "config/schema.hpp"

#include <limits>

namespace tftpkit::config {
namespace {

Problems blame(std::string_view plugin, const std::string& broken) {
  return {{"", "", "the settings schema of the plugin " + in_quotes(plugin) + " is broken: " + broken,
           "this is the plugin's mistake, not the configuration's", true}};
}

void collect(const Json& value, const std::string& pointer, host::Settings& settings) {
  settings.texts[pointer] = value.is_string() ? value.get<std::string>() : dumped(value);
  if (value.is_boolean()) settings.integers[pointer] = value.get<bool>() ? 1 : 0;
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > most;
  if (value.is_number_integer() && !too_large) settings.integers[pointer] = value.get<std::int64_t>();
  if (!value.is_structured()) return;
  settings.counts[pointer] = value.size();
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      collect(value[i], below(pointer, i), settings);
  } else {
    for (const auto& [key, member] : value.items())
      collect(member, below(pointer, key), settings);
  }
}

bool is_below_one_of(const std::string& pointer, const std::set<std::string>& places,
                     const std::string& prefix) {
  for (const std::string& place : places) {
    const std::string whole = prefix + place;
    if (pointer.starts_with(whole) && (pointer.size() == whole.size() || pointer[whole.size()] == '/'))
      return true;
  }
  return false;
}

// A value that the schema itself supplied is nobody's mistake but the plugin's.
Problems with_blame(Problems problems, const std::set<std::string>& defaulted, const std::string& prefix,
                    std::string_view plugin) {
  for (Problem& problem : problems) {
    if (!is_below_one_of(problem.pointer, defaulted, prefix)) continue;
    problem.hint = "this is the default of the plugin " + in_quotes(plugin) + ": the plugin's mistake";
    problem.plugins_mistake = true;
  }
  return problems;
}

void judge(const Normalised& made, const Schema& schema, const std::string& prefix, Report& report) {
  std::vector<Schema::Reason> reasons;
  if (schema.accepts(made.judged, reasons)) return;
  explain(made.judged, schema, prefix, made.spoiled, report);
  if (!report.empty()) return;
  for (const Schema::Reason& reason : reasons)
    report.add(prefix + reason.pointer, {reason.description, ""});
  if (report.empty()) report.add(prefix, {"the plugin's schema does not accept these settings", ""});
}

}  // namespace

Checked<host::Settings> check_settings(std::string_view settings, std::string_view schema_text,
                                       const Origin& origin, std::string_view plugin) {
  Report report(origin.file);
  const auto given = parse(settings, origin.pointer, report);
  if (given && !given->is_object()) {
    report.add(origin.pointer, {"expected an object, not " + shown(*given), "write { ... }"});
  }
  if (!report.empty()) return report.take();
  if (schema_text.empty() && !given->empty()) {
    report.add(origin.pointer, {"the plugin " + in_quotes(plugin) + " takes no settings", "remove them"});
    return report.take();
  }
  std::string broken;
  const auto schema = Schema::from(schema_text.empty() ? "{}" : schema_text, broken);
  if (!schema) return blame(plugin, broken);
  const Normalised made = normalise(*given, *schema, origin.base_dir, origin.pointer, report);
  if (!made.whole || !schema->can_judge(made.judged))
    return blame(plugin, "it leads back to itself without end, or by too many ways");
  judge(made, *schema, origin.pointer, report);
  if (!report.empty()) return with_blame(report.take(), made.defaulted, origin.pointer, plugin);
  host::Settings checked;
  checked.json = dumped(made.settings);
  collect(made.settings, "", checked);
  return checked;
}

bool needs_no_settings(std::string_view schema) {
  return static_cast<bool>(check_settings("{}", schema, {"", "", "/"}, ""));
}

}  // namespace tftpkit::config
