// Kernel arguments as people write them in the inventory: one string, or one string for each.
#pragma once

#include "config/object_reader.hpp"
#include "pattern.hpp"

#include <string>
#include <vector>

namespace tftpkit::pxe {

// The member `key`: a string is split at its spaces as the kernel would, an array has one argument an
// element.
[[nodiscard]] std::vector<Pattern> read_arguments(config::ObjectReader& reader, const std::string& key);

// A path or URL: characters that a loader could not carry are reported. Empty when absent.
[[nodiscard]] Pattern read_path(config::ObjectReader& reader, const std::string& key);
[[nodiscard]] Pattern path_from(const std::string& text, const std::string& pointer, config::Report& report);

}  // namespace tftpkit::pxe
