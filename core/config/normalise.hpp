// Completes settings from their schema: defaults filled in, the formats "size", "duration", "path" and
// "secret" turned into what the plugin gets. It judges nothing but these formats; the rest is the schema's
// verdict.
#pragma once

#include "config/report.hpp"
#include "config/schema.hpp"

#include <filesystem>
#include <set>
#include <string>

namespace tftpkit::config {

struct Normalised {
  Json settings;  // what the plugin gets
  Json judged;    // the same as the schema has to see it: with what the user wrote where that decides
  std::set<std::string> spoiled;    // pointers of values with a complaint already
  std::set<std::string> defaulted;  // pointers of values that are the schema's
  bool whole = true;                // false: given up, the schema leads to no end
};

// Pointers in Normalised are from the settings' own root; complaints go to `report` below `prefix`. Reads the
// files of secrets.
[[nodiscard]] Normalised normalise(const Json& settings, const Schema& schema,
                                   const std::filesystem::path& base_dir, const std::string& prefix,
                                   Report& report);

}  // namespace tftpkit::config
