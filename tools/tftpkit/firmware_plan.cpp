// tftpkit firmware plan: a dry run of rules over a fleet, by the very objects that answer in the plugin
// firmware.
#include "config/json_text.hpp"
#include "config/text_file.hpp"
#include "firmware.hpp"
#include "firmware/decide.hpp"
#include "firmware/fleet.hpp"
#include "firmware/read_rules.hpp"
#include "firmware/read_time.hpp"
#include "observe/escape.hpp"
#include "table.hpp"

#include <cstdio>
#include <memory>
#include <utility>

namespace tftpkit::cli {

namespace {

namespace fs = std::filesystem;
using firmware::Decision;

struct PlanArguments {
  std::string rules;
  std::string devices;
  std::string against;
  std::string root;
  std::string at;
  std::vector<std::string> names;
  bool why = false;
  bool json = false;
};

// One device that asks for one name, and what it would get.
struct Row {
  firmware::Asking asking;
  Decision decision;
  firmware::Trace trace;
  std::optional<Decision> other;  // by the rules to compare with
};

constexpr std::size_t largest_devices = 64U << 20U;

firmware::Inventory devices_from(const std::string& file) {
  config::Report report(file);
  const auto text = config::text_of_file(file, largest_devices, report);
  auto inventory = text ? firmware::Inventory::from_csv(*text, report) : firmware::Inventory();
  if (!report.empty()) throw Failure(config::text(report.take()));
  return inventory;
}

std::shared_ptr<const firmware::RuleSet> rules_from(const std::string& file,
                                                    const firmware::Inventory& inventory) {
  auto rules = firmware::read_rules(file, {inventory.more_columns(), true});
  if (!rules) throw Failure(config::text(rules.problems()));
  return *rules;
}

firmware::Stock stock_of(const std::string& root) {
  firmware::Stock stock;
  if (!root.empty())
    stock.file = [root](const std::string& path) {
      std::error_code error;
      return fs::is_regular_file(fs::path(root) / path, error) &&
             fs::file_size(fs::path(root) / path, error) > 0;
    };
  return stock;
}

std::chrono::system_clock::time_point time_of(const PlanArguments& arguments) {
  if (arguments.at.empty()) return std::chrono::system_clock::now();
  const auto moment = firmware::moment_from(arguments.at);
  if (!moment)
    throw Failure("--at: \"" + observe::escaped(arguments.at) +
                  "\" is no moment; write for example 2026-12-01T22:00:00Z");
  return *moment;
}

bool differ(const Decision& one, const Decision& other) {
  return one.kind != other.kind || one.path != other.path || one.version != other.version ||
         one.refusal.code != other.refusal.code || one.refusal.message != other.refusal.message;
}

std::string answer_text(const Decision& decision) {
  switch (decision.kind) {
  case Decision::Kind::file: return "file";
  case Decision::Kind::text: return "text";
  case Decision::Kind::decline: return "decline";
  case Decision::Kind::refuse:
  case Decision::Kind::store: break;
  }
  return "refuse";
}

// "images/a.bin 9.3.12 (canary)", "refuse 1: File not found"
std::string gets_text(const Decision& decision) {
  if (decision.kind == Decision::Kind::refuse)
    return "refuse " + std::to_string(decision.refusal.code) + ": " + decision.refusal.message;
  std::string text = decision.kind == Decision::Kind::decline ? "decline" : decision.path;
  if (decision.kind == Decision::Kind::file && !decision.version.empty()) text += " " + decision.version;
  return decision.channel.empty() ? text : text + " (" + decision.channel + ")";
}

std::string trace_text(const firmware::Trace& trace) {
  std::string text;
  for (const auto& [rule, condition] : trace)
    text.append(text.empty() ? "" : ", ").append(rule).append(": ").append(condition);
  return text;
}

config::JsonRow json_of(const Decision& decision) {
  config::JsonRow row = {{"rule", decision.rule}, {"answer", answer_text(decision)}};
  const std::pair<const char*, const std::string*> texts[] = {
      {"image", &decision.path},      {"model", &decision.model},     {"version", &decision.version},
      {"channel", &decision.channel}, {"profile", &decision.profile}, {"why", &decision.why}};
  for (const auto& [name, text] : texts)
    if (!text->empty()) row.emplace_back(name, *text);
  if (decision.kind == Decision::Kind::refuse) {
    row.emplace_back("code", std::uint64_t{decision.refusal.code});
    row.emplace_back("message", decision.refusal.message);
  }
  return row;
}

std::string as_json(const std::vector<Row>& rows, bool why) {
  std::vector<config::JsonRow> all;
  for (const Row& row : rows) {
    config::JsonRow one = {{"device", row.decision.identity.text()},
                           {"source", std::string(firmware::source_text(row.decision.identity.source))},
                           {"name", row.asking.question.name}};
    for (auto& member : json_of(row.decision))
      one.push_back(std::move(member));
    if (why) one.emplace_back("passed", trace_text(row.trace));
    if (row.other) one.emplace_back("against", config::RawJson{config::json_object(json_of(*row.other))});
    all.push_back(std::move(one));
  }
  return config::json_array(all, 2) + "\n";
}

std::string as_table(const std::vector<Row>& rows, bool why, bool compared) {
  std::vector<std::string> titles = {"DEVICE", "ASKS FOR", "GETS", "WHY"};
  if (compared) titles = {"DEVICE", "ASKS FOR", "GETS", "AGAINST"};
  Table table{titles};
  for (const Row& row : rows) {
    const std::string last = compared ? gets_text(*row.other) : row.decision.why;
    table.add({observe::escaped(row.decision.identity.text()), observe::escaped(row.asking.question.name),
               observe::escaped(gets_text(row.decision)), observe::escaped(last)},
              why ? observe::escaped("passed " + trace_text(row.trace)) : "");
  }
  return table.text();
}

int plan(const PlanArguments& arguments) {
  const auto inventory = devices_from(arguments.devices);
  const auto rules = rules_from(arguments.rules, inventory);
  const auto other = arguments.against.empty() ? nullptr : rules_from(arguments.against, inventory);
  const auto stock = stock_of(arguments.root);
  const auto askings = firmware::askings_of(*rules, inventory, arguments.names, time_of(arguments));
  if (!askings) throw Failure(config::text(askings.problems()));
  std::vector<Row> rows;
  for (const firmware::Asking& asking : *askings) {
    Row row{asking, {}, {}, {}};
    row.decision = firmware::decided(*rules, inventory, stock, asking.question, &row.trace);
    if (other) row.other = firmware::decided(*other, inventory, stock, asking.question);
    if (!row.other || differ(row.decision, *row.other)) rows.push_back(std::move(row));
  }
  std::fputs((arguments.json ? as_json(rows, arguments.why) : as_table(rows, arguments.why, other != nullptr))
                 .c_str(),
             stdout);
  if (other && !arguments.json) std::printf("%zu of %zu answers differ\n", rows.size(), askings->size());
  return exit_ok;
}

}  // namespace

void add_firmware_plan(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("plan", "Who of a fleet would get what, and why; nothing is sent");
  auto arguments = std::make_shared<PlanArguments>();
  command->add_option("--rules", arguments->rules, "The rules to try")->type_name("FILE")->required();
  command->add_option("--devices", arguments->devices, "The fleet, in the format of the inventory")
      ->type_name("FILE.csv")
      ->required();
  command->add_option("--against", arguments->against, "Show only where these rules answer otherwise")
      ->type_name("FILE");
  command
      ->add_option("--root", arguments->root, "Where the files are; without it all of them count as present")
      ->type_name("DIR");
  command
      ->add_option("--name", arguments->names,
                   "What every device asks for, such as nxos.bin or {mac}.cfg; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_option("--at", arguments->at, "The moment of the requests, in UTC; now without it")
      ->type_name("TIME");
  command->add_flag("--why", arguments->why,
                    "Say for each rule that was passed over which condition did not hold");
  command->add_flag("--json", arguments->json, "For machines");
  command->footer(
      "Examples:\n  tftpkit firmware plan --rules rules.json --devices fleet.csv --root /srv/tftp\n"
      "  tftpkit firmware plan --rules new.json --against rules.json --devices fleet.csv\n\n"
      "Without --name the column \"asks\" of the fleet and \"asks\" of the rules say what a device asks "
      "for.");
  command->callback([arguments, &action] { action = [arguments] { return plan(*arguments); }; });
}

}  // namespace tftpkit::cli
