// Reads and checks the configuration file. Every mistake is found in one go; nothing outside the file is
// looked at (no plugin is loaded, no name resolved), so checking is safe anywhere.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace tftpkit::config {

// Reads `file` (JSON, // and /* */ comments allowed) with all defaults filled in, or says all that is wrong.
// Relative paths in it start at the directory of the file. A file that cannot be read is a problem too.
[[nodiscard]] Checked<Config> load_file(const std::filesystem::path& file);

// The same without a verdict: what is wrong has left its default, so that what else the file says can be
// looked at in the same go.
struct Reading {
  Config config;
  Problems problems;
};
[[nodiscard]] Reading read_file(const std::filesystem::path& file);

// As load_file, for text at hand. `file` is only a name for messages.
[[nodiscard]] Checked<Config> load_text(std::string_view json, const std::string& file,
                                        const std::filesystem::path& base_dir);

// The settings of a plugin in a file of their own: one JSON object, as "settings" of an instance holds it.
// Relative paths in it start at the directory of the file.
struct SettingsFile {
  std::string settings;
  Origin origin;
};
[[nodiscard]] Checked<SettingsFile> load_settings(const std::filesystem::path& file);

}  // namespace tftpkit::config
