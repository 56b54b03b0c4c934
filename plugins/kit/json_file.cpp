#include "kit/json_file.hpp"

#include "config/text_file.hpp"

#include <algorithm>
#include <system_error>

namespace tftpkit::kit {
namespace fs = std::filesystem;

std::vector<fs::path> json_files(const fs::path& path, config::Report& report) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const bool hidden = entry->path().filename().string().starts_with('.');
    if (!hidden && entry->path().extension() == ".json" && entry->is_regular_file(ignored))
      files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  if (error) {
    report.add("", {"the directory cannot be read: " + error.message(), ""});
  } else if (files.empty()) {
    report.add(
        "", {"there is no file *.json in the directory", "put one there; {} is the shortest that is right"});
  }
  return files;
}

std::optional<config::Json> json_of_file(const fs::path& file, config::Report& report) {
  const auto text = config::text_of_file(file, largest_json_file, report);
  return text ? config::parse(*text, "", report) : std::nullopt;
}

}  // namespace tftpkit::kit
