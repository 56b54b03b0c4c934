// The commands of the group `tftpkit plugins`.
#pragma once

#include "command.hpp"

namespace tftpkit::cli {

void add_plugins_list(CLI::App& group, Action& action);
void add_plugins_inspect(CLI::App& group, Action& action);
void add_plugins_fetch(CLI::App& group, Action& action);
void add_plugins_new(CLI::App& group, Action& action);
void add_plugins_check(CLI::App& group, Action& action);
void add_plugins_install(CLI::App& group, Action& action);
void add_plugins_release(CLI::App& group, Action& action);

}  // namespace tftpkit::cli
