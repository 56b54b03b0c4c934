// Setup: one generation of the server's configuration with its plugin instances running. Never changes
// once built: a reload builds the next one, and transfers end on the one they began with.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "host/library.hpp"
#include "host/settings.hpp"
#include "isolation/keeper.hpp"
#include "loop/executor.hpp"
#include "serve/access.hpp"
#include "serve/admission.hpp"
#include "serve/filter.hpp"
#include "serve/offers.hpp"
#include "serve/plugin_address.hpp"
#include "serve/routes.hpp"
#include "transfer/negotiation.hpp"
#include "transfer/retry.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::observe {
class Log;
}

namespace tftpkit::serve {

// The values of a configuration that a transfer goes by.
struct Terms {
  explicit Terms(config::Config settings);

  config::Config config;
  Access access;
  std::optional<Filter> trace;  // requests whose decision is logged step by step
  transfer::Limits protocol;
  transfer::RetryPolicy retry;
};

struct RunningInstance {
  std::shared_ptr<const Served> served;
  // What it was made from: the same again means that a reload keeps it.
  std::string plugin_identity;
  std::string settings_json;
  config::InstanceConfig config;
  std::shared_ptr<const isolation::Keeper> keeper{};  // of an instance in a process of its own
  // For starting the same once more, and for who asks what runs.
  std::shared_ptr<host::Library> library{};
  host::Settings settings{};
  host::Finding finding{};
  unsigned generation = 0;  // 1 is the first of this name
  std::string failure{};    // why a newer one does not run in its place; mostly empty
};

// What a setup is made of.
struct Ingredients {
  std::vector<RunningInstance> instances;
  std::vector<RunningInstance> waiting;  // singletons that must end before the next of them begins
  std::vector<Offer> offers;
  config::Problems problems;                  // what it does without
  std::map<std::string, std::string> unused;  // plugin that could serve but does not -> why
};

struct Setup : Ingredients {
  Setup(config::Config settings, Ingredients parts);

  std::shared_ptr<const Terms> terms;
  Routes routes;

  [[nodiscard]] const config::Config& config() const noexcept { return terms->config; }
};

[[nodiscard]] AdmissionLimits admission_limits(const config::LimitsConfig& limits);

// What building a setup needs from the server.
struct SetupTools {
  observe::Log& log;
  loop::Executor& executor;
  // Instances may block when they end: their last holder is a worker, so this moves the end elsewhere.
  std::function<void(std::function<void()>)> end_elsewhere;
  std::string product_version;
  std::filesystem::path builtin_plugin_dir;      // empty: none
  std::filesystem::path state_dir;               // empty: no crash is known
  std::map<std::string, unsigned>& generations;  // by instance, over all setups
  // Finds a peer's MAC address; any thread.
  std::function<bool(const tftpkit_addr& peer, std::uint8_t mac[6])> neighbour = link_address_of;
};

struct Wanted {
  config::Config config;
  std::vector<config::InstanceConfig> extra;  // from the command line, behind those of the configuration
  bool look_again = true;                     // also at files that have not changed
};

// Scans, loads, checks settings, creates and starts. At a start (`previous` is null) every problem but those
// of dropped files ends it; later only mistakes in what was changed do, and an instance whose new generation
// fails goes on as it is. On failure nothing of the new generation stays, and every problem is told.
config::Checked<std::shared_ptr<const Setup>> build_setup(const Wanted& wanted, const Setup* previous,
                                                          const SetupTools& tools);

}  // namespace tftpkit::serve
