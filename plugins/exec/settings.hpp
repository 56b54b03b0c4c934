// The settings of one instance as values, checked: what can be known to be wrong before the first request is
// said here.
#pragma once

#include <tftpkit/plugin.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tftpkit::exec {

struct Program {
  std::string file;                    // absolute
  std::vector<std::string> arguments;  // beginning with its own name
  std::string directory;
};

enum class Way { run, serve };

struct Settings {
  Way way = Way::run;
  Program program;
  std::vector<std::string> environment;  // NAME=value
  std::chrono::milliseconds time_limit{8'000};
  std::uint64_t max_size = 64U << 20U;
  std::size_t concurrency = 16;
  std::size_t programs = 1;  // that serve side by side
  std::size_t max_waiting = 10'000;
  std::string spool;  // "": in memory
};

// Throws Failure with what is wrong and what would be right.
[[nodiscard]] Settings read_settings(const Host& host);

}  // namespace tftpkit::exec
