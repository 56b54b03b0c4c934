// The settings of one instance as a value. The host has checked them against the schema.
#pragma once

#include <tftpkit/plugin.hpp>

#include <chrono>
#include <filesystem>
#include <vector>

namespace tftpkit::firmware {

struct Settings {
  std::filesystem::path rules;
  std::filesystem::path inventory;  // this and what follows: empty when not given
  std::filesystem::path root;
  std::filesystem::path templates;
  std::filesystem::path record;
  std::vector<std::filesystem::path> leases;
  bool verify = true;
  std::chrono::milliseconds remember{0};
};

// Throws a Failure for what a host without schema check would let through.
[[nodiscard]] Settings read_settings(const Host& host);

}  // namespace tftpkit::firmware
