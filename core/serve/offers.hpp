// Offers: the plugin files that a configuration leads to, in the order of their right to a name, each with
// its state and the reason. Starts nothing.
#pragma once

#include "config/config.hpp"
#include "host/crashes.hpp"
#include "host/scan.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tftpkit::serve {

struct Offer {
  enum class From { named, dropped, builtin };

  host::Finding finding;
  From from = From::dropped;

  [[nodiscard]] bool usable() const noexcept {
    return finding.state == host::State::ok && finding.description.has_value();
  }
  // "plugins/hello.so: cannot-load: ..."
  [[nodiscard]] std::string complaint() const;
};

// Files that were named come first, then the directories that were, then the built-in one. `known` is what an
// earlier call found; files that have not changed since are not looked at again.
[[nodiscard]] std::vector<Offer> find_offers(const config::Config& config,
                                             const std::filesystem::path& builtin_dir,
                                             std::span<const Offer> known,
                                             std::span<const host::Crash> crashes);

// The settings that lie beside a plugin, hello.json for hello.so; none: there is no such file.
[[nodiscard]] std::optional<std::filesystem::path> settings_beside(const std::filesystem::path& plugin_file);

}  // namespace tftpkit::serve
