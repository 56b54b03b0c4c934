// The settings of one instance as a value. The only place that asks the host for settings.
#pragma once

#include "confined.hpp"
#include "rewrite.hpp"

#include <tftpkit/plugin.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tftpkit::file {

enum class OwnDirectory { by_address, by_mac };

struct Settings {
  std::string root;
  Symlinks symlinks = Symlinks::beneath;
  bool case_insensitive = false;
  bool hidden = false;
  bool only_world_readable = false;
  std::optional<std::uint64_t> max_size;  // bytes
  std::vector<OwnDirectory> per_client;
  bool per_client_fallback = true;
  std::vector<Rule> rewrite;
};

// A setting that cannot be used. what(): "/rewrite/0/match: ...", for the operator.
class SettingsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Reads and checks everything but whether the root exists. Throws SettingsError.
Settings read_settings(const tftpkit_host& host);

}  // namespace tftpkit::file
