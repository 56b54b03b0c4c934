#include "serve/offers.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace tftpkit::serve {

namespace {

namespace fs = std::filesystem;

void put_aside(host::Finding& finding, host::State state, std::string reason) {
  finding.state = state;
  finding.reason = std::move(reason);
}

// Of several files with one plugin the first is used. That a built-in one steps back is nothing to tell.
void mark_duplicates(std::vector<Offer>& offers) {
  for (auto at = offers.begin(); at != offers.end(); ++at) {
    if (!at->usable()) continue;
    const auto first = std::find_if(offers.begin(), at, [&](const Offer& other) {
      return other.usable() && other.finding.name() == at->finding.name();
    });
    if (first == at) continue;
    put_aside(at->finding, host::State::duplicate,
              "the plugin \"" + at->finding.name() + "\" is taken from " + first->finding.file.string() +
                  "; remove one of the two files");
  }
}

void put_aside_what_the_operator_named(std::vector<Offer>& offers, const std::vector<std::string>& disabled) {
  for (auto& [finding, from] : offers)
    if (finding.state == host::State::ok && std::ranges::count(disabled, finding.name()) != 0)
      put_aside(finding, host::State::disabled, "\"disabled_plugins\" of the configuration names it");
}

void put_aside_what_crashed(std::vector<Offer>& offers, std::span<const host::Crash> crashes) {
  for (auto& [finding, from] : offers) {
    if (finding.state != host::State::ok) continue;
    if (auto reason = host::quarantine_reason(crashes, finding.name()))
      put_aside(finding, host::State::quarantined, std::move(*reason));
  }
}

}  // namespace

std::string Offer::complaint() const {
  return finding.file.string() + ": " + std::string{host::text(finding.state)} + ": " + finding.reason;
}

std::vector<Offer> find_offers(const config::Config& config, const fs::path& builtin_dir,
                               std::span<const Offer> known, std::span<const host::Crash> crashes) {
  std::vector<host::Finding> findings;
  for (const auto& offer : known)
    findings.push_back(offer.finding);
  host::ScanOptions options;
  options.known = findings;
  std::vector<Offer> offers;
  for (const auto& file : config.plugins)
    offers.push_back({host::examine(file), Offer::From::named});
  const auto scan = [&](std::span<const fs::path> directories, Offer::From from) {
    for (auto& finding : host::scan(directories, options)) {
      const auto same = [&](const Offer& other) { return other.finding.file == finding.file; };
      if (std::ranges::none_of(offers, same)) offers.push_back({std::move(finding), from});
    }
  };
  scan(config.plugin_dirs, Offer::From::dropped);
  if (!builtin_dir.empty()) scan({&builtin_dir, 1}, Offer::From::builtin);
  put_aside_what_the_operator_named(offers, config.disabled_plugins);
  put_aside_what_crashed(offers, crashes);
  mark_duplicates(offers);
  return offers;
}

std::optional<fs::path> settings_beside(const fs::path& plugin_file) {
  fs::path file = plugin_file;
  file.replace_extension(".json");
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  return file;
}

}  // namespace tftpkit::serve
