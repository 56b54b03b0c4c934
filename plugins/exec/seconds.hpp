// A time limit in words.
#pragma once

#include <chrono>
#include <string>

namespace tftpkit::exec {

// "8 s", "0.4 s"
[[nodiscard]] inline std::string in_seconds(std::chrono::milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " s";
}

}  // namespace tftpkit::exec
