// What a client asks, in the words in which a program is told: the environment of a command,
// and one line of JSON for a program that serves.
#pragma once

#include "kit/mac.hpp"

#include <tftpkit/plugin.h>

#include <optional>
#include <string>
#include <vector>

namespace tftpkit::exec {

// TFTP_PATH=..., and so on: README.md has the list.
[[nodiscard]] std::vector<std::string> environment_of(const tftpkit_request& request,
                                                      const std::optional<kit::Mac>& mac);

// {"id": 7, "path": ...} and a newline: README.md has the members.
[[nodiscard]] std::string question_line(const tftpkit_request& request, const std::optional<kit::Mac>& mac);

}  // namespace tftpkit::exec
