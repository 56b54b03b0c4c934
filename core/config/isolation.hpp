// The part of an instance's configuration that gives it a process of its own. Internal to this room.
#pragma once

#include "config/config.hpp"
#include "config/object_reader.hpp"

#include <filesystem>
#include <optional>

namespace tftpkit::config {

// Reads "isolation" and the keys that need it; none: the instance runs in the server's own process.
std::optional<IsolationConfig> read_isolation(ObjectReader& instance, const std::filesystem::path& base_dir);

}  // namespace tftpkit::config
