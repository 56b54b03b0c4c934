// Setup: one generation of the server's configuration with its plugin instances running. Never changes
// once built: a reload builds the next one, and transfers end on the one they began with.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "host/scan.hpp"
#include "isolation/keeper.hpp"
#include "loop/executor.hpp"
#include "serve/admission.hpp"
#include "serve/filter.hpp"
#include "serve/plugin_address.hpp"
#include "serve/routes.hpp"
#include "transfer/negotiation.hpp"
#include "transfer/retry.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::observe {
class Log;
}

namespace tftpkit::serve {

struct RunningInstance {
  std::shared_ptr<const Served> served;
  // What it was made from: the same again means that a reload keeps it.
  std::string plugin_identity;
  std::string settings_json;
  config::InstanceConfig config;
  std::shared_ptr<const isolation::Keeper> keeper;  // of an instance in a process of its own
};

struct Setup {
  Setup(config::Config settings, std::vector<RunningInstance> running);

  config::Config config;
  std::vector<RunningInstance> instances;
  Routes routes;
  std::optional<Filter> trace;  // requests whose decision is logged step by step
  transfer::Limits protocol;
  transfer::RetryPolicy retry;
};

[[nodiscard]] AdmissionLimits admission_limits(const config::LimitsConfig& limits);

// What building a setup needs from the server.
struct SetupTools {
  observe::Log& log;
  loop::Executor& executor;
  // Instances may block when they end: their last holder is a worker, so this moves the end elsewhere.
  std::function<void(std::function<void()>)> end_elsewhere;
  std::string product_version;
  std::filesystem::path builtin_plugin_dir;  // empty: none
  // Finds a peer's MAC address; any thread.
  std::function<bool(const tftpkit_addr& peer, std::uint8_t mac[6])> neighbour = link_address_of;
};

// Scans, loads, checks settings, creates and starts. `extra` are instances that the command line adds
// behind those that the plugins get by themselves. `previous` may be null. On failure nothing of the new
// generation stays, and every problem is told.
config::Checked<std::shared_ptr<const Setup>> build_setup(const config::Config& config,
                                                          const std::vector<config::InstanceConfig>& extra,
                                                          const Setup* previous, const SetupTools& tools);

}  // namespace tftpkit::serve
