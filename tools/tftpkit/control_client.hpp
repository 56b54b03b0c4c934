// What a running server answers to a command, for the commands that ask one.
#pragma once

#include "config/json_text.hpp"
#include "serve/commands.hpp"

#include <string>

namespace tftpkit::cli {

// Asks the server at that socket; "" is where a server of this user has it by default. Throws Failure.
[[nodiscard]] serve::CommandAnswer ask_server(const std::string& socket, serve::Command command);

// The member as text for people; "-" when there is none.
[[nodiscard]] std::string member_text(const config::JsonRow& row, const std::string& key);

}  // namespace tftpkit::cli
