// tftpkit plugins: the group of commands around plugin files.
#include "plugins.hpp"

namespace tftpkit::cli {

void add_plugins(CLI::App& app, Action& action) {
  auto* group = app.add_subcommand("plugins", "Begin, list, inspect, try, check and install plugins");
  group->require_subcommand(1);
  add_plugins_list(*group, action);
  add_plugins_inspect(*group, action);
  add_plugins_fetch(*group, action);
  add_plugins_new(*group, action);
  add_plugins_check(*group, action);
  add_plugins_install(*group, action);
  add_plugins_release(*group, action);
}

}  // namespace tftpkit::cli
