// JSON files of plugins: one file, or all the *.json of a directory. What is wrong with the text comes out as
// Problems with file, place and remedy; what the values mean is the plugin's business (config::ObjectReader).
#pragma once

#include "config/json.hpp"
#include "config/report.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

namespace tftpkit::kit {

inline constexpr std::size_t largest_json_file = 64U << 20U;

// `path` itself, or the regular files *.json in the directory `path`, by name; hidden ones are passed over.
// A directory without any is reported.
[[nodiscard]] std::vector<std::filesystem::path> json_files(const std::filesystem::path& path,
                                                            config::Report& report);

// nullopt: something was reported.
[[nodiscard]] std::optional<config::Json> json_of_file(const std::filesystem::path& file,
                                                       config::Report& report);

}  // namespace tftpkit::kit
