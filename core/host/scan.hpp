// Looks at dropped files and says what each of them is. Every file describes itself in a process of its own
// (this binary again), so that one that crashes, exits or hangs is a row with a reason and nothing worse.
// Nothing is loaded into the calling process.
#pragma once

#include "host/description.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tftpkit::host {

// Which file, and as of when: what is changed, replaced or re-dated differs. All zero: nothing is known.
struct Stamp {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;  // content or attributes
  bool operator==(const Stamp&) const = default;
};

struct Finding {
  std::filesystem::path file;
  State state = State::not_a_plugin;
  std::string reason{};                      // empty only for ok
  std::optional<Description> description{};  // when the file got as far as that
  std::string identity{};                    // of the content that described itself, for Library::load()
  Stamp stamp{};                             // taken before the file was looked at

  // The plugin's own name, or the file's without ".so" when it is not known.
  std::string name() const;
};

struct ScanOptions {
  std::chrono::milliseconds time_limit{5000};  // for each file
  // A binary whose main() hands `--tftpkit-describe FILE` to describe_child().
  std::filesystem::path own_binary = "/proc/self/exe";
  unsigned at_once = 8;  // processes that describe files side by side
  // What an earlier scan found: a file that is the same since then need not describe itself again. Files that
  // could not be loaded do, since what they lacked may be there now.
  std::span<const Finding> known{};
};

// The hidden first argument of the own binary.
inline constexpr const char* describe_argument = "--tftpkit-describe";

// Every *.so directly in each directory and every <directory>/<name>/<name>.so, sorted by plugin name. Hidden
// files and others are passed over; a directory that does not exist has none. Of two plugins with one name
// the first is used (directories in the order given, files by name), the others are `duplicate`. A directory
// given twice counts once.
std::vector<Finding> scan(std::span<const std::filesystem::path> directories,
                          const ScanOptions& options = {});

// One file that was named on purpose: its own safety is checked, that of its directory is not, since naming
// it was the operator's decision and nothing else in that directory is looked at.
Finding examine(const std::filesystem::path& file, const ScanOptions& options = {});

// Runs `own_binary --tftpkit-describe file` and waits for at most `time_limit`. No safety checks.
Finding describe_isolated(const std::filesystem::path& file, std::chrono::milliseconds time_limit,
                          const std::filesystem::path& own_binary);

// What that process does: loads the file, writes what it found to descriptor 3 and ends the process.
// main() calls this before anything else.
[[noreturn]] void describe_child(const std::filesystem::path& file);

}  // namespace tftpkit::host
