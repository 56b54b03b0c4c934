// tftpkit plugins list: every dropped file is a row, with its state and the reason.
#include "config/json_text.hpp"
#include "control_client.hpp"
#include "host/crashes.hpp"
#include "host/scan.hpp"
#include "observe/escape.hpp"
#include "plugins.hpp"
#include "serve/places.hpp"
#include "table.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

namespace tftpkit::cli {

namespace {

namespace fs = std::filesystem;

struct ListArguments {
  std::vector<std::string> plugin_dirs;
  std::optional<std::string> control;  // ask a running server
  bool json = false;
  bool all = false;
  bool strict = false;
};

std::string abi_of(const host::Finding& finding) {
  if (!finding.description) return "-";
  return std::to_string(finding.description->abi_major) + "." +
         std::to_string(finding.description->abi_minor);
}

std::string yes_or_no(const host::Finding& finding, bool host::Description::*what) {
  if (!finding.description) return "-";
  return (*finding.description).*what ? "yes" : "no";
}

std::string version_of(const host::Finding& finding) {
  return finding.description ? observe::escaped(finding.description->version) : "-";
}

std::string execution_of(const host::Finding& finding) {
  return finding.description ? std::string{host::execution_text(finding.description->execution)} : "-";
}

// Files in a plugin directory that the server passes over.
std::vector<host::Finding> other_files(const std::vector<fs::path>& directories) {
  std::vector<host::Finding> found;
  for (const auto& directory : directories) {
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.is_directory() || entry.path().extension() == ".so") continue;
      found.push_back({entry.path(), host::State::not_a_plugin, "its name does not end in .so", {}});
    }
  }
  std::ranges::sort(found, {}, &host::Finding::file);
  return found;
}

// As a server that keeps its state at the usual place would.
void mark_quarantined(std::vector<host::Finding>& findings) {
  const auto crashes = host::recorded_crashes(serve::default_state_dir());
  for (auto& finding : findings) {
    if (finding.state != host::State::ok) continue;
    if (auto reason = host::quarantine_reason(crashes, finding.name())) {
      finding.state = host::State::quarantined;
      finding.reason = std::move(*reason);
    }
  }
}

std::string as_table(const std::vector<host::Finding>& findings) {
  Table table{{"NAME", "VERSION", "ABI", "STATE", "READ", "WRITE", "EXEC", "FILE"}};
  for (const auto& finding : findings) {
    table.add({observe::escaped(finding.name()), version_of(finding), abi_of(finding),
               std::string{host::text(finding.state)}, yes_or_no(finding, &host::Description::reads),
               yes_or_no(finding, &host::Description::writes), execution_of(finding),
               observe::escaped(finding.file.string())},
              observe::escaped(finding.reason));
  }
  return table.text();
}

std::string as_json(const std::vector<host::Finding>& findings) {
  std::vector<config::JsonRow> rows;
  for (const auto& finding : findings) {
    config::JsonRow row{{"name", finding.name()},
                        {"state", std::string{host::text(finding.state)}},
                        {"reason", finding.reason},
                        {"file", finding.file.string()}};
    if (finding.description) {
      row.emplace_back("version", finding.description->version);
      row.emplace_back("abi", abi_of(finding));
      row.emplace_back("read", finding.description->reads);
      row.emplace_back("write", finding.description->writes);
      row.emplace_back("execution", execution_of(finding));
    }
    rows.push_back(std::move(row));
  }
  return config::json_array(rows, 2) + "\n";
}

std::string live_table(const std::vector<config::JsonRow>& rows) {
  Table table{{"NAME", "VERSION", "STATE", "SERVING", "GENERATION", "TRANSFERS", "DRAINING", "FILE"}};
  for (const auto& row : rows) {
    const std::string instance = member_text(row, "instance");
    const std::string name = member_text(row, "name");
    std::string note = member_text(row, "reason");
    const std::string failure = member_text(row, "failure");
    if (failure != "-" && !failure.empty() && failure.find(note) != std::string::npos) note.clear();
    if (failure != "-" && !failure.empty())
      note += std::string(note.empty() ? "" : "; ") +
              (member_text(row, "serving") == "yes" ? "the generation before it goes on: " : "") + failure;
    if (const std::string process = member_text(row, "process"); process != "-")
      note.append(note.empty() ? "its process: " : "; its process: ").append(process);
    table.add({instance == "-" || instance == name ? name : name + " (" + instance + ")",
               member_text(row, "version"), member_text(row, "state"), member_text(row, "serving"),
               member_text(row, "generation"), member_text(row, "transfers"), member_text(row, "draining"),
               member_text(row, "file")},
              note);
  }
  return table.text();
}

int list_live(const ListArguments& arguments) {
  const auto answer = ask_server(*arguments.control, serve::Command::plugins);
  const std::string text =
      arguments.json ? config::json_array(answer.rows, 2) + "\n" : live_table(answer.rows);
  std::fputs(text.c_str(), stdout);
  const auto bad = [](const config::JsonRow& row) {
    return member_text(row, "state") != "ok" || member_text(row, "failure").size() > 1;
  };
  return arguments.strict && std::ranges::any_of(answer.rows, bad) ? exit_failed : exit_ok;
}

int list(const ListArguments& arguments) {
  if (arguments.control) return list_live(arguments);
  const auto directories = plugin_dirs(arguments.plugin_dirs);
  auto findings = host::scan(directories);
  mark_quarantined(findings);
  if (arguments.all)
    for (auto& other : other_files(directories))
      findings.push_back(std::move(other));
  const std::string text = arguments.json ? as_json(findings) : as_table(findings);
  std::fputs(text.c_str(), stdout);
  if (findings.empty() && !arguments.json) {
    std::fputs("no plugins in:", stderr);
    for (const auto& directory : directories)
      std::fprintf(stderr, " %s", directory.c_str());
    std::fputs("\n", stderr);
  }
  const auto bad = [](const host::Finding& finding) { return finding.state != host::State::ok; };
  return arguments.strict && std::ranges::any_of(findings, bad) ? exit_failed : exit_ok;
}

}  // namespace

void add_plugins_list(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("list", "Every plugin file with its state and the reason");
  auto arguments = std::make_shared<ListArguments>();
  command->add_option("--plugin-dir", arguments->plugin_dirs, "Look here too; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
  command
      ->add_option_function<std::vector<std::string>>(
          "--control",
          [arguments](const std::vector<std::string>& given) {
            arguments->control = given.empty() ? "" : given.front();
          },
          "Ask the server that runs what its plugins do; without PATH the one at the usual place")
      ->type_name("[PATH]")
      ->expected(0, 1);
  command->add_flag("--json", arguments->json, "For machines");
  command->add_flag("--all", arguments->all,
                    "Also files that are passed over because they do not end in .so");
  command->add_flag("--strict", arguments->strict, "Exit with 1 when a listed file is not ok");
  command->footer(
      "Example:\n  tftpkit plugins list --plugin-dir ./plugins --strict\n  tftpkit plugins list --control");
  command->callback([arguments, &action] { action = [arguments] { return list(*arguments); }; });
}

}  // namespace tftpkit::cli
