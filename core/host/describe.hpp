// How a plugin's description travels from the process that asked it to the one that lists it: keys and
// values, each ended by a NUL, with an end mark so that a torn one is noticed. Internal to this room.
#pragma once

#include "host/scan.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::host {

std::string encoded(const Finding& finding);

// Nothing when the end mark is missing or a value is not what its key asks for.
std::optional<Finding> decoded(std::string_view bytes, const std::filesystem::path& file);

}  // namespace tftpkit::host
