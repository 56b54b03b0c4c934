// tftpkit plugins inspect: all that one plugin says about itself, and its settings.
#include "config/json_text.hpp"
#include "config/settings.hpp"
#include "host/scan.hpp"
#include "observe/escape.hpp"
#include "plugins.hpp"
#include "table.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace tftpkit::cli {

namespace {

struct InspectArguments {
  std::string plugin;
  std::vector<std::string> plugin_dirs;
  bool json = false;
};

bool names_a_file(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".so");
}

host::Finding find(const InspectArguments& arguments) {
  if (names_a_file(arguments.plugin)) return host::examine(arguments.plugin);
  auto findings = host::scan(plugin_dirs(arguments.plugin_dirs));
  std::string names;
  for (auto& finding : findings) {
    if (finding.name() == arguments.plugin) return std::move(finding);
    names += (names.empty() ? "" : ", ") + finding.name();
  }
  throw Failure("there is no plugin \"" + arguments.plugin +
                "\"; there are: " + (names.empty() ? "none" : names) + "; a file is given with its path (./" +
                arguments.plugin + ".so)");
}

using Settings = std::vector<config::SettingRow>;

Settings settings_of(const host::Finding& finding) {
  if (!finding.description) return {};
  auto rows = config::schema_table(finding.description->settings_schema, finding.name());
  if (!rows) throw Failure(config::text(rows.problems()));
  return std::move(*rows);
}

using Facts = std::vector<std::pair<std::string, std::string>>;

Facts facts_of(const host::Finding& finding) {
  Facts facts{{"name", finding.name()},
              {"file", finding.file.string()},
              {"state", std::string{host::text(finding.state)}},
              {"reason", finding.reason}};
  if (!finding.description) return facts;
  const host::Description& said = *finding.description;
  facts.emplace_back("version", said.version);
  facts.emplace_back("summary", said.summary);
  facts.emplace_back("license", said.license);
  facts.emplace_back("homepage", said.homepage);
  facts.emplace_back("abi", std::to_string(said.abi_major) + "." + std::to_string(said.abi_minor) +
                                " (needs a host of at least " + std::to_string(said.abi_major) + "." +
                                std::to_string(said.abi_minor_needed) + ")");
  facts.emplace_back("execution", std::string{host::execution_text(said.execution)});
  facts.emplace_back("reads", said.reads ? "yes" : "no");
  facts.emplace_back("writes", said.writes ? "yes" : "no");
  facts.emplace_back("warning", said.warning);
  return facts;
}

void print_text(const host::Finding& finding, const Settings& settings) {
  for (const auto& [name, value] : facts_of(finding))
    if (!value.empty()) std::printf("%-10s %s\n", name.c_str(), observe::escaped(value).c_str());
  if (!finding.description) return;
  if (settings.empty()) {
    std::puts("settings   none");
    return;
  }
  Table table{{"SETTING", "TYPE", "DEFAULT", "MEANING"}};
  for (const auto& row : settings)
    table.add({observe::escaped(row.name), observe::escaped(row.type),
               row.required ? "(required)" : observe::escaped(row.fallback),
               observe::escaped_prose(row.help)});
  std::printf("\n%s", table.text().c_str());
}

void print_json(const host::Finding& finding, const Settings& settings) {
  config::JsonRow plugin;
  for (const auto& [name, value] : facts_of(finding))
    plugin.emplace_back(name, value);
  std::vector<config::JsonRow> rows;
  for (const auto& row : settings)
    rows.push_back({{"name", row.name},
                    {"type", row.type},
                    {"default", row.fallback},
                    {"required", row.required},
                    {"help", row.help}});
  plugin.emplace_back("settings", config::RawJson{config::json_array(rows)});
  std::printf("%s\n", config::json_object(plugin, 2).c_str());
}

int inspect(const InspectArguments& arguments) {
  const host::Finding finding = find(arguments);
  const Settings settings = settings_of(finding);
  arguments.json ? print_json(finding, settings) : print_text(finding, settings);
  return finding.state == host::State::ok ? exit_ok : exit_failed;
}

}  // namespace

void add_plugins_inspect(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("inspect", "What a plugin says about itself, and its settings");
  auto arguments = std::make_shared<InspectArguments>();
  command->add_option("PLUGIN", arguments->plugin, "A file, or the name of a plugin")
      ->type_name("FILE|NAME")
      ->required();
  command->add_option("--plugin-dir", arguments->plugin_dirs, "Look for the name here too; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
  command->add_flag("--json", arguments->json, "For machines");
  command->footer("Examples:\n  tftpkit plugins inspect file\n  tftpkit plugins inspect ./hello.so --json");
  command->callback([arguments, &action] { action = [arguments] { return inspect(*arguments); }; });
}

}  // namespace tftpkit::cli
