// Checks of instances: how they begin and end, and what is left of them.
#include "config/settings.hpp"
#include "conformance/checks.hpp"
#include "conformance/process_state.hpp"

namespace tftpkit::conformance {

namespace {

constexpr unsigned warm_up_rounds = 20;
constexpr unsigned all_rounds = 100;
constexpr unsigned half_way_round = (warm_up_rounds + all_rounds) / 2;

}  // namespace

// A server gives every plugin without required settings an instance by itself, so that one has to begin.
// Where settings are required the schema stops the host before create(); a host that does not know the
// schema's format must still hear what is missing, and not crash the plugin.
void create_without_settings(const Subject& subject) {
  const auto library = loaded(subject);
  const auto& plugin = library->description();
  const bool required = !config::needs_no_settings(plugin.settings_schema);
  host::Settings settings;
  if (!required) settings = settings_of({subject.file, "{}", {}, subject.note}, plugin);
  Stage stage{library->plugin(), settings, subject.note};
  const auto trouble = stage.try_begin();
  if (!trouble) return;
  if (!required)
    throw Fails{*trouble, "create() or start() with the settings {}",
                "begin, or list what is needed as \"required\" in the schema"};
  if (trouble->find(": ") == std::string::npos)
    throw Fails{*trouble + " and no explanation", "create() without any settings",
                "explain() what is missing before you fail"};
}

void create_destroy_100(const Subject& subject) {
  const auto library = loaded(subject);
  const host::Settings settings = settings_of(subject, library->description());
  Holdings before;
  Holdings half_way;
  for (unsigned round = 1; round <= all_rounds; ++round) {
    Stage stage{library->plugin(), settings, subject.note};
    stage.begin();
    stage.end();
    if (round == warm_up_rounds) before = calm_holdings();
    if (round == half_way_round) half_way = settled_holdings(before);
  }
  const std::string grown = growth(before, half_way, settled_holdings(before), all_rounds - warm_up_rounds);
  if (!grown.empty())
    throw Fails{grown, "create(), start(), stop(), destroy()",
                "stop() ends what start() began, destroy() frees what create() made"};
}

// Crashes where something beyond the end is looked at: the structs lie before pages that cannot be read.
void short_struct_host(const Subject& subject) {
  const auto library = loaded(subject);
  const auto stage = begun(subject, *library, Stage::Memory::guarded);
  for (const auto& path : paths_of(subject)) {
    Asked asked{*stage, path};
    asked.open();
    static_cast<void>(asked.content(1 << 16));
    asked.close();
  }
  stage->end();
}

}  // namespace tftpkit::conformance
