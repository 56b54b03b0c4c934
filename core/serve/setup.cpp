#include "serve/setup.hpp"

#include "config/settings.hpp"
#include "observe/log.hpp"
#include "serve/start.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

namespace {

using config::Problem;
using config::Problems;

transfer::RetryPolicy retry_policy(const config::RetryConfig& config) {
  transfer::RetryPolicy policy;
  policy.initial = config.initial;
  policy.min = config.min;
  policy.max = config.max;
  policy.max_silence = config.silence;
  policy.max_tries = static_cast<std::uint16_t>(std::min(config.tries, 65535U));
  return policy;
}

transfer::Limits protocol_limits(const config::ProtocolConfig& config) {
  transfer::Limits limits;
  limits.blksize_max = config.blksize_max;
  limits.windowsize_max = config.windowsize_max;
  limits.rollover = config.rollover;
  return limits;
}

std::optional<Filter> trace_filter(const std::optional<config::TraceConfig>& trace) {
  if (!trace) return std::nullopt;
  return Filter{trace->paths, trace->clients};
}

Candidates served_by(const std::vector<RunningInstance>& running) {
  Candidates all;
  for (const auto& instance : running)
    all.push_back(instance.served);
  return all;
}

}  // namespace

Setup::Setup(config::Config settings, std::vector<RunningInstance> running)
    : config{std::move(settings)}, instances{std::move(running)}, routes{config.routes, served_by(instances)},
      trace{trace_filter(config.trace)}, protocol{protocol_limits(config.protocol)}, retry{retry_policy(
                                                                                         config.retry)} {}

AdmissionLimits admission_limits(const config::LimitsConfig& limits) {
  return {limits.transfers, limits.transfers_per_client, static_cast<std::size_t>(limits.buffer_memory_bytes),
          static_cast<double>(limits.requests_per_second_per_client),
          static_cast<double>(limits.request_burst_per_client)};
}

namespace {

// One build from start to end: collects problems instead of stopping at the first.
class Builder {
 public:
  Builder(const config::Config& config, const Setup* previous, const SetupTools& tools)
      : config_{config}, previous_{previous}, tools_{tools} {}

  void find_plugins();
  void add_automatic();
  void add(const config::InstanceConfig& config);
  [[nodiscard]] Problems problems() && { return std::move(problems_); }
  [[nodiscard]] bool failed() const { return !problems_.empty(); }
  [[nodiscard]] std::vector<RunningInstance> running() && { return std::move(running_); }
  [[nodiscard]] bool nothing_runs() const { return running_.empty(); }
  [[nodiscard]] std::string what_was_found() const;

 private:
  void offer(host::Finding finding, bool builtin);
  [[nodiscard]] const host::Finding* usable(const config::InstanceConfig& config);
  [[nodiscard]] bool execution_allowed(const config::InstanceConfig& config, const host::Description& plugin);
  void start(const config::InstanceConfig& config, const host::Finding& finding, host::Settings settings);
  [[nodiscard]] const RunningInstance* same_as_before(const RunningInstance& wanted) const;
  void complain(const config::InstanceConfig& config, std::string what, std::string hint = {});

  struct Offer {
    host::Finding finding;
    bool builtin = false;
  };

  const config::Config& config_;
  const Setup* previous_;
  const SetupTools& tools_;
  std::vector<Offer> offers_;
  std::vector<RunningInstance> running_;
  Problems problems_;
};

// Files that were named come first, then the directories that were, then the built-in one.
void Builder::find_plugins() {
  for (const auto& file : config_.plugins) {
    host::Finding finding = host::examine(file);
    if (finding.state != host::State::ok)
      problems_.push_back(
          {file.string(), "", std::string{host::text(finding.state)} + ": " + finding.reason, ""});
    offer(std::move(finding), false);
  }
  for (const auto& directory : config_.plugin_dirs) {
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error))
      problems_.push_back({directory.string(), "", "is no directory that could hold plugins", ""});
  }
  for (auto& finding : host::scan(config_.plugin_dirs))
    offer(std::move(finding), false);
  if (tools_.builtin_plugin_dir.empty()) return;
  for (auto& finding : host::scan({{tools_.builtin_plugin_dir}}))
    offer(std::move(finding), true);
}

void Builder::offer(host::Finding finding, bool builtin) {
  const auto same = [&](const Offer& other) { return other.finding.name() == finding.name(); };
  const auto first = std::ranges::find_if(offers_, same);
  if (first == offers_.end()) {
    offers_.push_back({std::move(finding), builtin});
    return;
  }
  if (builtin || finding.file == first->finding.file) return;
  tools_.log.write(observe::Level::warning, "plugin not used: another file with its name comes first",
                   {{"file", finding.file.string()}, {"used", first->finding.file.string()}});
}

void Builder::complain(const config::InstanceConfig& config, std::string what, std::string hint) {
  problems_.push_back({config.settings_origin.file, "",
                       "instance \"" + config.name + "\": " + std::move(what), std::move(hint)});
}

std::string Builder::what_was_found() const {
  std::string names;
  for (const auto& offer : offers_) {
    if (offer.finding.state != host::State::ok) continue;
    names += (names.empty() ? "" : ", ") + offer.finding.name();
  }
  return names.empty() ? "no plugin was found" : "plugins found: " + names;
}

// Every plugin that can run without being told anything.
void Builder::add_automatic() {
  for (const auto& [finding, builtin] : offers_) {
    const std::string file = finding.file.string();
    if (finding.state != host::State::ok || !finding.description) {
      tools_.log.write(observe::Level::warning, "plugin not used",
                       {{"file", file}, {"state", host::text(finding.state)}, {"reason", finding.reason}});
      continue;
    }
    if (!finding.description->reads) continue;
    if (!config::needs_no_settings(finding.description->settings_schema)) {
      if (!builtin)
        tools_.log.write(observe::Level::warning,
                         "plugin not used: it needs settings, so it needs an instance in the configuration",
                         {{"plugin", finding.name()}, {"file", file}});
      continue;
    }
    config::InstanceConfig config;
    config.name = finding.name();
    config.plugin = finding.name();
    add(config);
  }
}

const host::Finding* Builder::usable(const config::InstanceConfig& config) {
  for (const auto& [finding, builtin] : offers_) {
    if (finding.name() != config.plugin) continue;
    if (finding.state == host::State::ok) return &finding;
    complain(config, "plugin \"" + config.plugin + "\" (" + finding.file.string() +
                         ") cannot be used, it is " + std::string{host::text(finding.state)} + ": " +
                         finding.reason);
    return nullptr;
  }
  complain(config, "there is no plugin \"" + config.plugin + "\"", what_was_found());
  return nullptr;
}

bool Builder::execution_allowed(const config::InstanceConfig& config, const host::Description& plugin) {
  if (!config.execution || execution_number(*config.execution) <= plugin.execution) return true;
  complain(config,
           "\"execution\" is laxer than the plugin allows (" +
               std::string{host::execution_text(plugin.execution)} + ")",
           "leave it out, or choose a stricter one");
  return false;
}

const RunningInstance* Builder::same_as_before(const RunningInstance& wanted) const {
  if (previous_ == nullptr) return nullptr;
  const auto same = [&](const RunningInstance& old) {
    return old.config.name == wanted.config.name && old.plugin_identity == wanted.plugin_identity &&
           old.settings_json == wanted.settings_json && old.config.execution == wanted.config.execution &&
           old.config.max_parallel == wanted.config.max_parallel &&
           old.config.isolation == wanted.config.isolation;
  };
  const auto at = std::ranges::find_if(previous_->instances, same);
  return at == previous_->instances.end() ? nullptr : &*at;
}

void Builder::add(const config::InstanceConfig& config) {
  const host::Finding* finding = usable(config);
  if (finding == nullptr) return;
  auto settings = config::check_settings(config.settings, finding->description->settings_schema,
                                         config.settings_origin, config.plugin);
  if (!settings) {
    problems_.insert(problems_.end(), settings.problems().begin(), settings.problems().end());
    return;
  }
  try {
    start(config, *finding, std::move(*settings));
  } catch (const std::exception& error) {
    complain(config, error.what());
  }
}

void Builder::start(const config::InstanceConfig& config, const host::Finding& finding,
                    host::Settings settings) {
  RunningInstance wanted{nullptr, finding.identity, settings.json, config, nullptr};
  if (const RunningInstance* before = same_as_before(wanted)) {
    running_.push_back(*before);
    return;
  }
  if (!execution_allowed(config, *finding.description)) return;
  auto started =
      start_instance(config, config_, finding, loaded_here(config, finding), std::move(settings), tools_);
  wanted.served = std::move(started.served);
  wanted.keeper = std::move(started.keeper);
  running_.push_back(std::move(wanted));
}

}  // namespace

config::Checked<std::shared_ptr<const Setup>> build_setup(const config::Config& config,
                                                          const std::vector<config::InstanceConfig>& extra,
                                                          const Setup* previous, const SetupTools& tools) {
  Builder builder{config, previous, tools};
  builder.find_plugins();
  if (builder.failed()) return std::move(builder).problems();
  if (config.instances.empty()) builder.add_automatic();
  for (const auto& instance : config.instances)
    builder.add(instance);
  for (const auto& instance : extra)
    builder.add(instance);
  if (builder.failed()) return std::move(builder).problems();
  if (builder.nothing_runs())
    return Problems{{"", "", "there is nothing to serve (" + builder.what_was_found() + ")",
                     "give a directory (tftpkit serve DIR), a plugin (--plugin FILE.so) or a configuration "
                     "(--config FILE)"}};
  return std::shared_ptr<const Setup>{std::make_shared<Setup>(config, std::move(builder).running())};
}

}  // namespace tftpkit::serve
