#include "config/load.hpp"
#include "config/settings.hpp"
#include "host/crashes.hpp"
#include "host/file_check.hpp"
#include "serve/setup.hpp"
#include "serve/start.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tftpkit::serve {

namespace {

using config::Problems;

bool is_singleton(const host::Description& plugin) {
  return (plugin.flags & TFTPKIT_PLUGIN_SINGLETON) != 0;
}

template <class Instances>
auto named(Instances& instances, const std::string& name) -> decltype(&instances.front()) {
  for (auto& instance : instances)
    if (instance.config.name == name) return &instance;
  return nullptr;
}

const RunningInstance* made_from(const Setup& setup, const std::filesystem::path& file) {
  for (const auto& instance : setup.instances)
    if (instance.finding.file == file) return &instance;
  return nullptr;
}

// Problems as one line, for a table.
std::string line_of(const Problems& problems) {
  std::string line;
  for (const auto& problem : problems)
    line += (line.empty() ? "" : "; ") + config::text(problem);
  return line;
}

// One build from start to end: collects problems instead of stopping at the first.
class Builder {
 public:
  Builder(const Wanted& wanted, const Setup* previous, const SetupTools& tools)
      : config_{wanted.config}, extra_{wanted.extra}, previous_{previous}, tools_{tools} {
    const bool again = wanted.look_again || previous == nullptr;
    parts_.offers = find_offers(config_, tools.builtin_plugin_dir,
                                again ? std::span<const Offer>{} : std::span<const Offer>{previous->offers},
                                host::recorded_crashes(tools.state_dir));
  }

  config::Checked<std::shared_ptr<const Setup>> build();

 private:
  void check_files();
  void add_automatic();
  void add_automatic(const Offer& offer);
  void add(const config::InstanceConfig& config, bool must);
  void failed(const config::InstanceConfig& config, const Problems& trouble, bool fatal);
  [[nodiscard]] std::optional<RunningInstance> attempt(const config::InstanceConfig& config,
                                                       Problems& trouble);
  [[nodiscard]] const Offer* usable(const config::InstanceConfig& config, Problems& trouble) const;
  [[nodiscard]] bool execution_allowed(const config::InstanceConfig& config, const host::Description& plugin,
                                       Problems& trouble) const;
  void start(RunningInstance& instance);
  [[nodiscard]] const RunningInstance* same_as_before(const RunningInstance& wanted) const;
  [[nodiscard]] const RunningInstance* before(const std::string& instance) const;
  [[nodiscard]] const RunningInstance* goes_on(const config::InstanceConfig& config) const;
  [[nodiscard]] bool quarantined(const std::string& plugin) const;
  [[nodiscard]] bool configured_before(const config::InstanceConfig& config) const;
  [[nodiscard]] const RunningInstance* must_end_first(const host::Description& plugin,
                                                      const std::string& instance) const;
  [[nodiscard]] std::optional<RunningInstance> once_more(const std::string& instance);
  [[nodiscard]] std::string what_was_found() const;

  const config::Config& config_;
  const std::vector<config::InstanceConfig>& extra_;
  const Setup* previous_;
  const SetupTools& tools_;
  Ingredients parts_;
  Problems fatal_;
};

void complain(const config::InstanceConfig& config, Problems& trouble, std::string what,
              std::string hint = {}) {
  trouble.push_back({config.settings_origin.file, "", "instance \"" + config.name + "\": " + std::move(what),
                     std::move(hint)});
}

void append(Problems& all, const Problems& more) {
  all.insert(all.end(), more.begin(), more.end());
}

config::Checked<std::shared_ptr<const Setup>> Builder::build() {
  check_files();
  if (!fatal_.empty()) return std::move(fatal_);
  if (config_.instances.empty()) add_automatic();
  for (const auto& instance : config_.instances)
    add(instance, true);
  for (const auto& instance : extra_)
    add(instance, true);
  if (parts_.instances.empty() && parts_.waiting.empty() && fatal_.empty() &&
      !config_.watch.value_or(false)) {
    append(fatal_, parts_.problems);
    fatal_.push_back({"", "", "there is nothing to serve (" + what_was_found() + ")",
                      "give a directory (tftpkit serve DIR), a plugin (--plugin FILE.so) or a configuration "
                      "(--config FILE)"});
  }
  if (!fatal_.empty()) return std::move(fatal_);
  return std::shared_ptr<const Setup>{std::make_shared<Setup>(config_, std::move(parts_))};
}

// A file that was named must be right when it is named for the first time; what is dropped must not.
void Builder::check_files() {
  for (const auto& offer : parts_.offers) {
    const bool named_anew = offer.from == Offer::From::named &&
                            offer.finding.state != host::State::quarantined &&
                            (previous_ == nullptr || previous_->config().plugins != config_.plugins);
    const host::State state = offer.finding.state;
    const bool chosen = state == host::State::ok || state == host::State::disabled ||
                        (state == host::State::duplicate && offer.from == Offer::From::builtin);
    if (chosen) continue;
    (named_anew ? fatal_ : parts_.problems)
        .push_back({offer.finding.file.string(), "",
                    std::string{host::text(state)} + ": " + offer.finding.reason, ""});
  }
  if (config_.watch.value_or(false)) return;  // waits for directories
  for (const auto& directory : config_.plugin_dirs) {
    std::error_code error;
    if (std::filesystem::is_directory(directory, error)) continue;
    const bool gone = previous_ != nullptr && previous_->config().plugin_dirs == config_.plugin_dirs;
    (gone ? parts_.problems : fatal_)
        .push_back({directory.string(), "", "is no directory that could hold plugins", ""});
  }
}

std::string Builder::what_was_found() const {
  std::string names;
  for (const auto& offer : parts_.offers) {
    if (!offer.usable()) continue;
    names += (names.empty() ? "" : ", ") + offer.finding.name();
  }
  return names.empty() ? "no plugin was found" : "plugins found: " + names;
}

// Every plugin that can run without being told anything, or is told beside it.
void Builder::add_automatic() {
  for (const auto& offer : parts_.offers) {
    if (offer.usable()) {
      add_automatic(offer);
      continue;
    }
    // A file that broke: what was made from it before goes on.
    const auto* old = previous_ == nullptr ? nullptr : made_from(*previous_, offer.finding.file);
    if (old == nullptr || offer.finding.state == host::State::disabled ||
        offer.finding.state == host::State::duplicate)
      continue;
    parts_.instances.push_back(*old);
    parts_.instances.back().failure = offer.complaint();
  }
}

void Builder::add_automatic(const Offer& offer) {
  const host::Description& plugin = *offer.finding.description;
  if (!plugin.reads) return;
  config::InstanceConfig config;
  config.name = plugin.name;
  config.plugin = plugin.name;
  if (const auto file = settings_beside(offer.finding.file)) {
    auto beside = host::unsafe_file(*file) ? config::Checked<config::SettingsFile>{Problems{
                                                 {file->string(), "", *host::unsafe_file(*file), ""}}}
                                           : config::load_settings(*file);
    if (!beside) return failed(config, beside.problems(), false);
    config.settings = std::move(beside->settings);
    config.settings_origin = std::move(beside->origin);
  } else if (!config::needs_no_settings(plugin.settings_schema)) {
    if (offer.from == Offer::From::builtin) return;
    std::filesystem::path name = offer.finding.file.filename();
    return failed(config,
                  {{offer.finding.file.string(), "", "the plugin needs settings",
                    "write them into " + name.replace_extension(".json").string() +
                        " beside it, or configure an instance"}},
                  false);
  }
  add(config, offer.from == Offer::From::named && previous_ == nullptr);
}

const Offer* Builder::usable(const config::InstanceConfig& config, Problems& trouble) const {
  const Offer* other = nullptr;
  for (const auto& offer : parts_.offers) {
    if (offer.finding.name() != config.plugin) continue;
    if (offer.usable()) return &offer;
    if (other == nullptr) other = &offer;
  }
  if (other == nullptr) {
    complain(config, trouble, "there is no plugin \"" + config.plugin + "\"", what_was_found());
  } else {
    complain(config, trouble,
             "plugin \"" + config.plugin + "\" (" + other->finding.file.string() +
                 ") cannot be used, it is " + std::string{host::text(other->finding.state)} + ": " +
                 other->finding.reason);
  }
  return nullptr;
}

bool Builder::execution_allowed(const config::InstanceConfig& config, const host::Description& plugin,
                                Problems& trouble) const {
  if (!config.execution || execution_number(*config.execution) <= plugin.execution) return true;
  complain(config, trouble,
           "\"execution\" is laxer than the plugin allows (" +
               std::string{host::execution_text(plugin.execution)} + ")",
           "leave it out, or choose a stricter one");
  return false;
}

const RunningInstance* Builder::same_as_before(const RunningInstance& wanted) const {
  const RunningInstance* old = before(wanted.config.name);
  const bool same = old != nullptr && old->plugin_identity == wanted.plugin_identity &&
                    old->settings_json == wanted.settings_json &&
                    old->config.execution == wanted.config.execution &&
                    old->config.max_parallel == wanted.config.max_parallel &&
                    old->config.isolation == wanted.config.isolation;
  return same ? old : nullptr;
}

const RunningInstance* Builder::before(const std::string& instance) const {
  return previous_ == nullptr ? nullptr : named(previous_->instances, instance);
}

bool Builder::configured_before(const config::InstanceConfig& config) const {
  if (previous_ == nullptr) return false;
  const auto is_it = [&](const config::InstanceConfig& old) { return old == config; };
  return std::ranges::any_of(previous_->config().instances, is_it) || std::ranges::any_of(extra_, is_it);
}

// A server that a plugin brought down comes back without it.
bool Builder::quarantined(const std::string& plugin) const {
  const auto is_it = [&](const Offer& offer) {
    return offer.finding.state == host::State::quarantined && offer.finding.name() == plugin;
  };
  return std::ranges::any_of(parts_.offers, is_it);
}

// The instance that may stay in place of its next generation: its plugin's file is still there and nobody
// switched it off.
const RunningInstance* Builder::goes_on(const config::InstanceConfig& config) const {
  const RunningInstance* old = before(config.name);
  if (old == nullptr || old->config.plugin != config.plugin) return nullptr;
  const auto is_its = [&](const Offer& offer) {
    return offer.finding.file == old->finding.file && offer.finding.state != host::State::disabled &&
           (!offer.usable() || offer.finding.name() == config.plugin);
  };
  return std::ranges::any_of(parts_.offers, is_its) ? old : nullptr;
}

void Builder::add(const config::InstanceConfig& config, bool must) {
  Problems trouble;
  if (auto running = attempt(config, trouble)) {
    parts_.instances.push_back(std::move(*running));
    if (trouble.empty()) return;
  }
  if (!trouble.empty())
    failed(config, trouble, must && !configured_before(config) && !quarantined(config.plugin));
}

// `fatal`: it was asked for just now, so that whoever asked must hear no.
void Builder::failed(const config::InstanceConfig& config, const Problems& trouble, bool fatal) {
  append(fatal ? fatal_ : parts_.problems, trouble);
  if (fatal) return;
  const std::string why = line_of(trouble);
  if (auto* running = named(parts_.instances, config.name)) {
    running->failure = why;
  } else if (const RunningInstance* old = goes_on(config)) {
    parts_.instances.push_back(*old);
    parts_.instances.back().failure = why;
  } else {
    parts_.unused[config.plugin] = why;
  }
}

std::optional<RunningInstance> Builder::attempt(const config::InstanceConfig& config, Problems& trouble) {
  const Offer* offer = usable(config, trouble);
  if (offer == nullptr) return std::nullopt;
  const host::Finding& finding = offer->finding;
  auto settings = config::check_settings(config.settings, finding.description->settings_schema,
                                         config.settings_origin, config.plugin);
  if (!settings) {
    append(trouble, settings.problems());
    return std::nullopt;
  }
  RunningInstance made{nullptr, finding.identity, settings->json, config,
                       nullptr, nullptr,          *settings,      finding};
  if (const RunningInstance* old = same_as_before(made)) {
    RunningInstance kept = *old;
    kept.config = config;
    kept.failure.clear();
    kept.finding = finding;
    return kept;
  }
  if (!execution_allowed(config, *finding.description, trouble)) return std::nullopt;
  try {
    made.library = loaded_here(config, finding);
    if (const RunningInstance* old = must_end_first(*finding.description, config.name)) {
      parts_.waiting.push_back(*old);
      parts_.waiting.back().served.reset();
      parts_.waiting.back().keeper.reset();
      parts_.unused[config.plugin] =
          "it begins when the one before it has ended: the plugin allows one instance";
      return std::nullopt;
    }
    start(made);
  } catch (const std::exception& error) {
    complain(config, trouble, error.what());
  }
  if (!made.served) return once_more(config.name);
  return made;
}

// A plugin of which there can be one instance: the one before this ends first, and may be what waits already.
const RunningInstance* Builder::must_end_first(const host::Description& plugin,
                                               const std::string& instance) const {
  if (previous_ == nullptr || !is_singleton(plugin) || !host::Instance::singleton_alive(plugin.name))
    return nullptr;
  const auto of_it = [&](const RunningInstance& one) { return one.config.plugin == plugin.name; };
  if (std::ranges::any_of(parts_.instances, of_it)) return nullptr;
  const auto old = std::ranges::find_if(previous_->instances, of_it);
  return old != previous_->instances.end() ? &*old : named(previous_->waiting, instance);
}

// The next one failed after the one before it had to end: that one is begun anew, if its code is still here.
std::optional<RunningInstance> Builder::once_more(const std::string& instance) {
  const RunningInstance* old = previous_ == nullptr ? nullptr : named(previous_->waiting, instance);
  if (old == nullptr || !old->library) return std::nullopt;
  RunningInstance again = *old;
  try {
    start(again);
  } catch (const std::exception& error) {
    complain(again.config, parts_.problems, error.what());
    return std::nullopt;
  }
  return again;
}

void Builder::start(RunningInstance& made) {
  auto started = start_instance(made.config, config_, made.finding, made.library, made.settings, tools_);
  made.served = std::move(started.served);
  made.keeper = std::move(started.keeper);
  made.generation = ++tools_.generations[made.config.name];
}

}  // namespace

config::Checked<std::shared_ptr<const Setup>> build_setup(const Wanted& wanted, const Setup* previous,
                                                          const SetupTools& tools) {
  return Builder{wanted, previous, tools}.build();
}

}  // namespace tftpkit::serve
