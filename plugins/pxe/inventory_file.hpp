// The inventory out of its JSON files. All mistakes are found in one go, each with file, place and remedy.
#pragma once

#include "config/problem.hpp"
#include "inventory.hpp"

#include <filesystem>
#include <memory>

namespace tftpkit::pxe {

// `path` is a file, or a directory whose *.json are read as one. `can_remember`: there is a state file, so
// that one-shot boots are possible.
[[nodiscard]] config::Checked<std::shared_ptr<const Inventory>>
load_inventory(const std::filesystem::path& path, bool can_remember);

}  // namespace tftpkit::pxe
