// tftpkit firmware status: a rollout in numbers, from the record that the plugin firmware writes.
#include "config/json_text.hpp"
#include "firmware.hpp"
#include "firmware/read_time.hpp"
#include "firmware/summary.hpp"
#include "observe/escape.hpp"
#include "table.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

namespace tftpkit::cli {

namespace {

struct StatusArguments {
  std::vector<std::string> files;
  bool json = false;
};

void read(const std::string& file, firmware::Summary& summary) {
  std::ifstream in(file);
  if (!in) throw Failure(observe::escaped(file) + ": " + std::strerror(errno));
  for (std::string line; std::getline(in, line);)
    summary.add_line(line);
}

std::string devices_text(const firmware::Progress& row) {
  return std::to_string(row.devices_done.size()) + "/" + std::to_string(row.devices.size());
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : observe::escaped(text);
}

std::string as_table(const firmware::Summary& summary) {
  Table table{{"MODEL", "VERSION", "OFFERED", "COMPLETED", "FAILED", "DEVICES", "LAST"}};
  for (const auto& [key, row] : summary.rows())
    table.add({or_dash(key.first), or_dash(key.second), std::to_string(row.offered),
               std::to_string(row.completed), std::to_string(row.failed), devices_text(row),
               firmware::moment_text(row.last)});
  return table.text();
}

std::string as_json(const firmware::Summary& summary) {
  std::vector<config::JsonRow> rows;
  for (const auto& [key, row] : summary.rows())
    rows.push_back({{"model", key.first},
                    {"version", key.second},
                    {"offered", row.offered},
                    {"completed", row.completed},
                    {"failed", row.failed},
                    {"bytes", row.bytes},
                    {"devices", std::uint64_t{row.devices.size()}},
                    {"devices_done", std::uint64_t{row.devices_done.size()}},
                    {"last", firmware::moment_text(row.last)}});
  return config::json_array(rows, 2) + "\n";
}

int status(const StatusArguments& arguments) {
  firmware::Summary summary;
  for (const std::string& file : arguments.files)
    read(file, summary);
  std::fputs((arguments.json ? as_json(summary) : as_table(summary)).c_str(), stdout);
  if (summary.passed_over() > 0)
    std::fprintf(stderr, "%ju lines are no lines of a record and were passed over\n",
                 static_cast<std::uintmax_t>(summary.passed_over()));
  return exit_ok;
}

}  // namespace

void add_firmware_status(CLI::App& group, Action& action) {
  auto* command =
      group.add_subcommand("status", "How a rollout goes: offered, completed, failed by model and version");
  auto arguments = std::make_shared<StatusArguments>();
  command->add_option("RECORD", arguments->files, "The file of the setting \"record\", and older ones")
      ->required();
  command->add_flag("--json", arguments->json, "For machines");
  command->footer(
      "Example:\n  tftpkit firmware status /var/log/tftpkit/given.jsonl.1 /var/log/tftpkit/given.jsonl\n\n"
      "DEVICES is how many have it, of how many to whom it was offered.");
  command->callback([arguments, &action] { action = [arguments] { return status(*arguments); }; });
}

}  // namespace tftpkit::cli
