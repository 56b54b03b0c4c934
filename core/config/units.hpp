// Sizes and durations as people write them. Whole numbers only, and always with a unit where a unit could be
// mistaken.
#pragma once

#include "config/report.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace tftpkit::config {

// "512", "512B", "64KiB", "1MiB", "2GiB", "1TiB" -> bytes, at most 2^63 - 1. "64k" and "64KB" are complaints,
// because some people mean 1000.
[[nodiscard]] std::variant<std::uint64_t, Complaint> size_from(std::string_view text);

// "250ms", "3s", "5m", "1h"; at most ten years. A number without a unit is a complaint, but for "0".
[[nodiscard]] std::variant<std::chrono::milliseconds, Complaint> duration_from(std::string_view text);

// The shortest of these forms that says exactly this: 1073741824 -> "1GiB", 90000 ms -> "90s".
[[nodiscard]] std::string size_text(std::uint64_t bytes);
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace tftpkit::config
