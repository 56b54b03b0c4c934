// tftpkit firmware: the commands around the plugin of that name, each in a file of its own.
#pragma once

#include "command.hpp"

namespace tftpkit::cli {

void add_firmware_plan(CLI::App& group, Action& action);
void add_firmware_status(CLI::App& group, Action& action);

}  // namespace tftpkit::cli
