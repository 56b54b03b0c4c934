// May this file be trusted with the server's rights? Owner and mode of the file and of its directory.
// Knows nothing of what is in the file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace tftpkit::host {

// Each gives the reason with its remedy, or nothing when all is well. Symbolic links are followed.
// A regular file, owned by root or by the own user, not writable by group or others.
std::optional<std::string> unsafe_file(const std::filesystem::path& file);

// A directory, owned by root or by the own user, not writable by group or others (a sticky one neither:
// in /tmp everybody can add a plugin).
std::optional<std::string> unsafe_directory(const std::filesystem::path& directory);

}  // namespace tftpkit::host
