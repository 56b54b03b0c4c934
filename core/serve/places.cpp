#include "serve/places.hpp"

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace tftpkit::serve {

namespace {

namespace fs = std::filesystem;

// A list of directories in one variable, as systemd may give it, counts by its first.
fs::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  const std::string text = value != nullptr ? value : "";
  return text.substr(0, text.find(':'));
}

}  // namespace

fs::path default_control() {
  if (const fs::path given = from_environment("RUNTIME_DIRECTORY"); !given.empty()) return given / "control";
  if (::geteuid() == 0) return "/run/tftpkit/control";
  const fs::path own = from_environment("XDG_RUNTIME_DIR");
  return own.empty() ? own : own / "tftpkit/control";
}

fs::path default_state_dir() {
  if (fs::path given = from_environment("STATE_DIRECTORY"); !given.empty()) return given;
  if (::geteuid() == 0) return "/var/lib/tftpkit";
  if (const fs::path state = from_environment("XDG_STATE_HOME"); !state.empty()) return state / "tftpkit";
  const fs::path home = from_environment("HOME");
  return home.empty() ? home : home / ".local/state/tftpkit";
}

}  // namespace tftpkit::serve
