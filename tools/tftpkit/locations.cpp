#include "command.hpp"

#include <system_error>

namespace tftpkit::cli {

namespace fs = std::filesystem;

const char* version() noexcept {
  return TFTPKIT_VERSION;
}

// TFTPKIT_PLUGINDIR_FROM_BIN leads from the directory of the installed binary to that of the plugins, so that
// an installation can be moved; in the build tree the plugins are in a sister directory.
fs::path builtin_plugin_dir() {
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path here = binary.parent_path();
  for (const fs::path& candidate : {here / TFTPKIT_PLUGINDIR_FROM_BIN, here / "../plugins"}) {
    if (!fs::is_directory(candidate, error)) continue;
    if (candidate.filename() == "plugins" && fs::exists(candidate / "file.so", error))
      return fs::canonical(candidate, error);
  }
  return {};
}

std::vector<fs::path> plugin_dirs(const std::vector<std::string>& given) {
  std::vector<fs::path> all;
  std::error_code error;
  for (const auto& directory : given) {
    if (!fs::is_directory(directory, error)) throw Failure(directory + " is no directory");
    all.push_back(fs::absolute(directory));
  }
  if (fs::path builtin = builtin_plugin_dir(); !builtin.empty()) all.push_back(std::move(builtin));
  return all;
}

}  // namespace tftpkit::cli
