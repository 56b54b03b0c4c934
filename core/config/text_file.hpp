// A whole file as text, or a complaint in the words of a report.
#pragma once

#include "config/report.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace tftpkit::config {

// nullopt: it cannot be read, or it is larger than `limit` bytes (a whole number of MiB); that was reported.
[[nodiscard]] std::optional<std::string> text_of_file(const std::filesystem::path& file, std::size_t limit,
                                                      Report& report);

}  // namespace tftpkit::config
