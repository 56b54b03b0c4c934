// tftpkit firmware: the group of commands around the plugin of that name.
#include "firmware.hpp"

namespace tftpkit::cli {

void add_firmware(CLI::App& app, Action& action) {
  auto* group =
      app.add_subcommand("firmware", "Try the rules of the plugin firmware, and see how a rollout goes");
  group->require_subcommand(1);
  group->footer("Examples:\n  tftpkit firmware plan --rules rules.json --devices fleet.csv\n"
                "  tftpkit firmware status given.jsonl");
  add_firmware_plan(*group, action);
  add_firmware_status(*group, action);
}

}  // namespace tftpkit::cli
