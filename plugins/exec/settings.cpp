#include "exec/settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tftpkit::exec {
namespace {

constexpr std::string_view usual_path = "PATH=/usr/local/bin:/usr/bin:/bin";

[[noreturn]] void refuse(const std::string& text) {
  throw Failure(Status::option, text);
}

std::string text(const Host& host, const std::string& pointer) {
  return std::string(host.setting(pointer.c_str()).value_or(""));
}

std::vector<std::string> texts(const Host& host, const std::string& pointer) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < host.setting_count(pointer.c_str()); ++i)
    all.push_back(text(host, pointer + "/" + std::to_string(i)));
  return all;
}

std::vector<std::string> environment(const Host& host) {
  std::vector<std::string> all = texts(host, "/env");
  const auto is_path = [](const std::string& one) { return one.starts_with("PATH="); };
  if (std::none_of(all.begin(), all.end(), is_path)) all.emplace_back(usual_path);
  return all;
}

// What keeps this file from being run; "" for nothing.
std::string hindrance(const std::string& file) {
  struct stat seen {};
  if (::stat(file.c_str(), &seen) != 0) return std::strerror(errno);
  if (!S_ISREG(seen.st_mode)) return "it is no regular file";
  if (::access(file.c_str(), X_OK) != 0) return "it is not executable; chmod +x makes it so";
  return {};
}

std::string found_in(std::string_view path, const std::string& name) {
  while (true) {
    const std::size_t end = path.find(':');
    std::string file = std::string(path.substr(0, end)) + "/" + name;
    if (file.front() == '/' && hindrance(file).empty()) return file;
    if (end == std::string_view::npos) return {};
    path.remove_prefix(end + 1);
  }
}

// Where the program is; refuses what cannot be run.
std::string located(const std::string& name, const std::vector<std::string>& environment) {
  if (name.empty()) refuse("/command/0 is empty: give a program");
  if (name.find('/') != std::string::npos) {
    if (name.front() != '/')
      refuse("/command/0: " + name +
             " is a relative path: give an absolute one, or a name that is found in PATH");
    if (const std::string why = hindrance(name); !why.empty())
      refuse("/command/0: " + name + " cannot be run: " + why);
    return name;
  }
  for (const std::string& one : environment) {
    if (!one.starts_with("PATH=")) continue;
    std::string file = found_in(std::string_view(one).substr(5), name);
    if (file.empty())
      refuse(std::string("/command/0: there is no program ").append(name).append(" in ").append(one));
    return file;
  }
  return {};  // environment() has a PATH
}

Program program(const Host& host, const std::vector<std::string>& environment) {
  Program program;
  program.arguments = texts(host, "/command");
  if (program.arguments.empty()) refuse("/command is empty: give a program and its arguments");
  if (host.setting_int("/shell").value_or(0) != 0) {
    program.file = "/bin/sh";
    // The word behind the script is its $0.
    program.arguments.insert(program.arguments.begin() + 1, "sh");
    program.arguments.insert(program.arguments.begin(), {"sh", "-c"});
  } else {
    program.file = located(program.arguments.front(), environment);
  }
  program.directory = host.setting("/directory").value_or("/");
  return program;
}

Way way(const Host& host) {
  const std::string_view mode = host.setting("/mode").value_or("run");
  if (mode != "run" && mode != "serve")
    refuse("/mode: \"" + std::string(mode) + "\" is not known; choose from: run, serve");
  return mode == "serve" ? Way::serve : Way::run;
}

void require_directory(const std::string& pointer, const std::string& path, int access) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) refuse(pointer + ": " + path + ": " + std::strerror(errno));
  if (!S_ISDIR(seen.st_mode)) refuse(pointer + ": " + path + " is no directory");
  if (::access(path.c_str(), access) != 0) refuse(pointer + ": " + path + ": " + std::strerror(errno));
}

}  // namespace

Settings read_settings(const Host& host) {
  Settings settings;
  settings.way = way(host);
  settings.programs = static_cast<std::size_t>(host.setting_int("/programs").value_or(1));
  settings.environment = environment(host);
  settings.program = program(host, settings.environment);
  require_directory("/directory", settings.program.directory, X_OK);
  settings.time_limit = std::chrono::milliseconds(host.setting_int("/time_limit").value_or(8'000));
  if (settings.time_limit.count() <= 0) refuse("/time_limit: give more than 0, for example \"8s\"");
  settings.max_size = static_cast<std::uint64_t>(host.setting_int("/max_size").value_or(64 << 20));
  settings.concurrency = static_cast<std::size_t>(host.setting_int("/concurrency").value_or(16));
  settings.max_waiting = static_cast<std::size_t>(host.setting_int("/max_waiting").value_or(10'000));
  settings.spool = text(host, "/spool");
  if (!settings.spool.empty()) require_directory("/spool", settings.spool, W_OK | X_OK);
  return settings;
}

}  // namespace tftpkit::exec
