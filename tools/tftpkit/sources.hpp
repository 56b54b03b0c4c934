// What `serve` and `explain` take alike: where content comes from, by configuration file or on the command
// line.
#pragma once

#include "command.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"

#include <string>
#include <vector>

namespace tftpkit::cli {

struct Sources {
  std::string directory;
  std::string config;
  std::vector<std::string> plugins;
  std::vector<std::string> plugin_dirs;
};

void add_source_options(CLI::App& command, Sources& sources);

// The configuration with what the command line adds. Throws Failure for a contradiction.
[[nodiscard]] config::Checked<config::Config> configured(const Sources& sources);

// DIR is an instance of the plugin "file", behind the plugins that were given.
[[nodiscard]] std::vector<config::InstanceConfig> extra_instances(const Sources& sources);

}  // namespace tftpkit::cli
