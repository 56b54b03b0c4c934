#include "sources.hpp"

#include "config/json_text.hpp"
#include "config/load.hpp"

#include <filesystem>
#include <system_error>

namespace tftpkit::cli {

namespace fs = std::filesystem;

void add_source_options(CLI::App& command, Sources& sources) {
  command.add_option("--config", sources.config, "Read the configuration from this file")->type_name("FILE");
  command.add_option("--plugin", sources.plugins, "Load this plugin; repeatable")
      ->type_name("FILE.so")
      ->allow_extra_args(false);
  command.add_option("--plugin-dir", sources.plugin_dirs, "Load the plugins of this directory; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

config::Checked<config::Config> configured(const Sources& sources) {
  if (!sources.config.empty() && !sources.directory.empty())
    throw Failure("either DIR or --config: with a configuration, name the directory there as an instance of "
                  "the plugin \"file\"");
  auto loaded = sources.config.empty() ? config::Checked<config::Config>{config::Config{}}
                                       : config::load_file(sources.config);
  if (!loaded) return loaded;
  for (const auto& file : sources.plugins)
    loaded->plugins.push_back(fs::absolute(file));
  for (const auto& directory : sources.plugin_dirs)
    loaded->plugin_dirs.push_back(fs::absolute(directory));
  return loaded;
}

std::vector<config::InstanceConfig> extra_instances(const Sources& sources) {
  if (sources.directory.empty()) return {};
  std::error_code error;
  if (!fs::is_directory(sources.directory, error)) throw Failure(sources.directory + " is no directory");
  config::InstanceConfig files;
  files.name = "files";
  files.plugin = "file";
  files.settings = config::json_object({{"root", fs::absolute(sources.directory).string()}});
  return {files};
}

}  // namespace tftpkit::cli
