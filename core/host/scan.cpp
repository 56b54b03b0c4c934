#include "host/scan.hpp"

#include "host/file_check.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <thread>

namespace tftpkit::host {

namespace fs = std::filesystem;

namespace {

Stamp stamp_of(const fs::path& file) {
  struct stat seen {};
  if (::stat(file.c_str(), &seen) != 0) return {};
  return {seen.st_dev, seen.st_ino, seen.st_size, seen.st_ctim.tv_sec * 1'000'000'000 + seen.st_ctim.tv_nsec};
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

// Every directory/*.so and directory/<name>/<name>.so.
std::vector<fs::path> candidates_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const fs::path path = at->path();
    std::error_code ignored;
    if (is_hidden(path)) continue;
    if (fs::is_directory(path, ignored)) {
      const fs::path inner = path / (path.filename().string() + ".so");
      if (fs::exists(inner, ignored)) found.push_back(inner);
    } else if (path.extension() == ".so") {
      found.push_back(path);
    }
  }
  if (error) throw fs::filesystem_error("cannot list the plugin directory", directory, error);
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const fs::path left = a.filename();
    const fs::path right = b.filename();
    return left != right ? left < right : a < b;
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

// Does this follow from the file alone, and not from what is around it?
bool lasts(State state) {
  constexpr std::array passing = {State::cannot_load, State::unsafe_file, State::duplicate, State::disabled,
                                  State::quarantined};
  return std::find(passing.begin(), passing.end(), state) == passing.end();
}

const Finding* known_already(const fs::path& file, const Stamp& stamp, std::span<const Finding> known) {
  if (stamp == Stamp{}) return nullptr;
  for (const Finding& one : known)
    if (one.file == file && one.stamp == stamp && lasts(one.state)) return &one;
  return nullptr;
}

Finding looked_at(const fs::path& file, const ScanOptions& options) {
  const Stamp stamp = stamp_of(file);
  if (auto reason = unsafe_surroundings(file)) return {file, State::unsafe_file, *reason};
  if (const Finding* same = known_already(file, stamp, options.known)) return *same;
  Finding finding = examine(file, options);
  finding.stamp = stamp;
  return finding;
}

// Calls `work` for 0 to count - 1. Describing is waiting for a process: several threads do it, which end with
// this call.
template <class Work>
void side_by_side(std::size_t count, unsigned at_once, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t mine = next++; mine < count; mine = next++)
      work(mine);
  };
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < std::min<std::size_t>(count, at_once))
      others.emplace_back(take);
  } catch (const std::system_error&) {  // no more threads to be had: fewer do it too
  }
  take();
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
  if (!fs::exists(file, error)) return {file, State::cannot_load, "there is no file " + file.string()};
  if (auto reason = unsafe_file(file)) return {file, State::unsafe_file, *reason};
  return describe_isolated(file, options.time_limit, options.own_binary);
}

std::vector<Finding> scan(std::span<const fs::path> directories, const ScanOptions& options) {
  std::vector<Finding> findings;
  std::vector<std::size_t> open;  // findings that are still to be made
  std::set<fs::path> seen;
  for (const fs::path& directory : directories) {
    std::error_code error;
    if (!fs::exists(directory, error) && !error) continue;
    if (!seen.insert(fs::weakly_canonical(directory, error)).second && !error) continue;
    try {
      const auto reason = unsafe_directory(directory);
      for (const fs::path& file : candidates_in(directory)) {
        if (!reason) open.push_back(findings.size());
        findings.push_back({file, State::unsafe_file, reason.value_or("")});
      }
    } catch (const fs::filesystem_error& trouble) {
      findings.push_back({directory, State::cannot_load, trouble.what()});
    }
  }
  side_by_side(open.size(), options.at_once, [&](std::size_t at) {
    Finding& finding = findings[open[at]];
    finding = looked_at(fs::path(finding.file), options);
  });
  mark_duplicates(findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.name() < b.name(); });
  return findings;
}

}  // namespace tftpkit::host
