#include "host/scan.hpp"

#include "host/file_check.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace tftpkit::host {

namespace fs = std::filesystem;

namespace {

struct Candidate {
  fs::path file;
  bool in_place = false;  // <directory>/<name>/<name>.so
};

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

std::vector<Candidate> candidates_in(const fs::path& directory) {
  std::vector<Candidate> found;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const fs::path path = at->path();
    std::error_code ignored;
    if (is_hidden(path)) continue;
    if (fs::is_directory(path, ignored)) {
      const fs::path inner = path / (path.filename().string() + ".so");
      if (fs::exists(inner, ignored)) found.push_back({inner, true});
    } else if (path.extension() == ".so") {
      found.push_back({path, false});
    }
  }
  if (error) throw fs::filesystem_error("cannot list the plugin directory", directory, error);
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    const fs::path left = a.file.filename();
    const fs::path right = b.file.filename();
    return left != right ? left < right : a.file < b.file;
  });
  return found;
}

// The directory of the file itself and, behind a symbolic link, that of its target.
std::optional<std::string> unsafe_surroundings(const fs::path& file) {
  if (auto reason = unsafe_directory(file.parent_path())) return reason;
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  if (!error && real.parent_path() != fs::absolute(file.parent_path()))
    return unsafe_directory(real.parent_path());
  return std::nullopt;
}

Finding looked_at(const Candidate& candidate, const std::optional<std::string>& directory_reason,
                  const ScanOptions& options) {
  auto reason = directory_reason;
  if (!reason) reason = unsafe_surroundings(candidate.file);
  if (reason) return {candidate.file, State::unsafe_file, *reason, std::nullopt};
  return examine(candidate.file, options);
}

void mark_duplicates(std::vector<Finding>& findings) {
  std::map<std::string, fs::path> first;
  for (Finding& finding : findings) {
    if (finding.state != State::ok) continue;
    const auto [known, fresh] = first.emplace(finding.name(), finding.file);
    if (fresh) continue;
    finding.state = State::duplicate;
    finding.reason = "the plugin \"" + finding.name() + "\" is taken from " + known->second.string() +
                     "; remove one of the two files";
  }
}

}  // namespace

std::string Finding::name() const {
  return description ? description->name : file.stem().string();
}

Finding examine(const fs::path& file, const ScanOptions& options) {
  std::error_code error;
  if (!fs::exists(file, error))
    return {file, State::cannot_load, "there is no file " + file.string(), std::nullopt};
  if (auto reason = unsafe_file(file)) return {file, State::unsafe_file, *reason, std::nullopt};
  return describe_isolated(file, options.time_limit, options.own_binary);
}

std::vector<Finding> scan(std::span<const fs::path> directories, const ScanOptions& options) {
  std::vector<Finding> findings;
  for (const fs::path& directory : directories) {
    std::error_code error;
    if (!fs::exists(directory, error) && !error) continue;
    try {
      const auto directory_reason = unsafe_directory(directory);
      for (const Candidate& candidate : candidates_in(directory))
        findings.push_back(looked_at(candidate, directory_reason, options));
    } catch (const fs::filesystem_error& trouble) {
      findings.push_back({directory, State::cannot_load, trouble.what(), std::nullopt});
    }
  }
  mark_duplicates(findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.name() < b.name(); });
  return findings;
}

}  // namespace tftpkit::host
