// tftpkit check FILE: every mistake of a configuration at once: the file's own, and what it asks of plugins.
// Plugins describe themselves in processes of their own; none is started and nothing is bound.
#include "command.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"
#include "serve/offers.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::cli {

namespace {

using config::Problems;
using serve::Offer;

// "/instances/0/settings" -> "/instances/0/plugin"
std::string plugin_pointer(const config::InstanceConfig& instance) {
  const std::string& pointer = instance.settings_origin.pointer;
  return pointer.substr(0, pointer.rfind('/') + 1) + "plugin";
}

config::Problem no_such_plugin(const config::InstanceConfig& instance, const std::vector<Offer>& offers) {
  std::vector<std::string> names;
  for (const auto& offer : offers)
    if (offer.usable()) names.push_back(offer.finding.name());
  return {instance.settings_origin.file, plugin_pointer(instance),
          "there is no plugin " + config::in_quotes(instance.plugin),
          config::name_hint(instance.plugin, names, "the plugins here are")};
}

void check_instance(const config::InstanceConfig& instance, const std::vector<Offer>& offers,
                    Problems& problems) {
  if (instance.plugin.empty()) return;  // a mistake that was told already
  const auto named = [&](const Offer& offer) { return offer.finding.name() == instance.plugin; };
  const auto usable = [&](const Offer& offer) { return named(offer) && offer.usable(); };
  const auto at = std::ranges::find_if(offers, usable);
  if (at != offers.end()) {
    const auto settings = config::check_settings(instance.settings, at->finding.description->settings_schema,
                                                 instance.settings_origin, instance.plugin);
    if (!settings) problems.insert(problems.end(), settings.problems().begin(), settings.problems().end());
    return;
  }
  const auto unusable = std::ranges::find_if(offers, named);
  if (unusable == offers.end()) return problems.push_back(no_such_plugin(instance, offers));
  problems.push_back({instance.settings_origin.file, plugin_pointer(instance),
                      "the plugin " + config::in_quotes(instance.plugin) + " cannot be used",
                      unusable->complaint()});
}

int check(const std::string& file) {
  auto [config, problems] = config::read_file(file);
  const auto offers = serve::find_offers(config, builtin_plugin_dir(), {}, {});
  for (const auto& instance : config.instances)
    check_instance(instance, offers, problems);
  if (!problems.empty()) {
    std::fprintf(stderr, "%s\n", config::text(problems).c_str());
    return exit_failed;
  }
  std::printf("%s: no mistakes found\n", file.c_str());
  return exit_ok;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("check", "Find every mistake in a configuration file");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The configuration")->required();
  command->footer("Example:\n  tftpkit check /etc/tftpkit.json");
  command->callback([file, &action] { action = [file] { return check(*file); }; });
}

}  // namespace tftpkit::cli
