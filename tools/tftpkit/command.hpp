// What every command of the binary shares: how it registers, how it fails, where plugins are.
#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tftpkit::cli {

// Exit codes of the binary; documented in tftpkit(1).
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

// A failure whose text is for the user: one cause a line, no stack of words in front.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Set by the subcommand that was parsed; run by main.
using Action = std::function<int()>;

void add_serve(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_get(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_plugins(CLI::App& app, Action& action);
void add_firmware(CLI::App& app, Action& action);
void add_reload(CLI::App& app, Action& action);

// Says on standard error what is wrong with the command line and what would be right; the exit status.
[[nodiscard]] int wrong_usage(const CLI::App& app, const CLI::ParseError& error);

// The directory whose plugins come with the binary: beside it, in the build tree or where it is installed.
// Empty when there is none.
[[nodiscard]] std::filesystem::path builtin_plugin_dir();

// The directories to look in, in order: those given, then the built-in one.
[[nodiscard]] std::vector<std::filesystem::path> plugin_dirs(const std::vector<std::string>& given);

[[nodiscard]] const char* version() noexcept;

}  // namespace tftpkit::cli
