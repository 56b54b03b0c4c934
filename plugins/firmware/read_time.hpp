// JSON -> time windows: {"days": ["sat", "sun"], "from": "22:00", "to": "05:00", "zone": "utc",
// "not_before": "2026-12-01T00:00:00Z", "not_after": "..."}
#pragma once

#include "config/json.hpp"
#include "firmware/conditions.hpp"

#include <string>

namespace tftpkit::firmware {

[[nodiscard]] Window read_window(const config::Json& object, const std::string& pointer,
                                 config::Report& report);

// "2026-12-01T00:00:00Z", in UTC. nullopt: it is none.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> moment_from(std::string_view text);
[[nodiscard]] std::string moment_text(std::chrono::system_clock::time_point time);

}  // namespace tftpkit::firmware
