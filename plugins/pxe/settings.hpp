// The settings of one instance as a value. The only place that asks the host for settings.
#pragma once

#include "config/glob.hpp"
#include "kit/lease_files.hpp"

#include <tftpkit/plugin.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

namespace tftpkit::pxe {

enum class Choice { automatic, syslinux, extlinux };

struct Settings {
  std::filesystem::path inventory;
  std::optional<std::filesystem::path> state;
  std::optional<std::filesystem::path> templates;
  std::vector<kit::LeaseFile> leases;
  bool neighbours = true;
  std::vector<config::Glob> directories;
  bool at_top = false;  // the empty directory, which is no pattern
  Choice syntax = Choice::automatic;
  std::chrono::milliseconds repeat_within{10'000};

  [[nodiscard]] bool serves(std::string_view directory) const;
};

// Throws a Failure that names the setting.
[[nodiscard]] Settings read_settings(const Host& host);

}  // namespace tftpkit::pxe
