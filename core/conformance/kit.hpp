// Kit: runs checks of a plugin file, each in a process of its own, so that one that crashes or hangs is a
// result like any other.
#pragma once

#include "conformance/checks.hpp"
#include "conformance/result.hpp"

#include <chrono>
#include <filesystem>

namespace tftpkit::conformance {

// The hidden first argument of the own binary: `tftpkit --tftpkit-conformance NAME FILE HAS_SETTINGS SETTINGS
// PATH...`
inline constexpr const char* conformance_argument = "--tftpkit-conformance";

// `subject.note` is not used. A check that does not end within `time_limit` is failed.
[[nodiscard]] Result run_isolated(const Check& check, const Subject& subject,
                                  std::chrono::milliseconds time_limit,
                                  const std::filesystem::path& own_binary = "/proc/self/exe");

// In this process, for a debugger.
[[nodiscard]] Result run_here(const Check& check, const Subject& subject);

// What that process does; main() calls it before anything else.
[[noreturn]] void conformance_child(int argc, char** argv);

}  // namespace tftpkit::conformance
