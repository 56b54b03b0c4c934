#include "firmware/state.hpp"

#include "config/nearest.hpp"
#include "config/text_file.hpp"
#include "firmware/read_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tftpkit::firmware {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_inventory = 64U << 20U;

void append(config::Problems& all, config::Problems more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

Inventory read_inventory(const fs::path& file, config::Problems& problems) {
  if (file.empty()) return {};
  config::Report report(file.string());
  const auto text = config::text_of_file(file, largest_inventory, report);
  Inventory inventory = text ? Inventory::from_csv(*text, report) : Inventory();
  append(problems, report.take());
  return inventory;
}

// What a template of any rule may use.
std::vector<std::string> template_names(const RuleSet& rules, const Inventory& inventory) {
  std::vector<std::string> names = {"name",  "base",    "mac",   "mac_upper", "mac_colons", "mac_dashes",
                                    "ip",    "serial",  "uuid",  "model",     "vendor",     "hostname",
                                    "group", "version", "image", "hexip"};
  const auto add = [&](const NameExpression& expression) {
    std::copy_if(expression.captures().begin(), expression.captures().end(), std::back_inserter(names),
                 [](const std::string& name) { return !name.empty(); });
  };
  for (const Extractor& extractor : rules.extractors)
    add(extractor.expression);
  for (const auto& [option, value] : rules.options)
    names.push_back(value);
  for (const Rule& rule : rules.rules) {
    if (rule.when.expression) add(*rule.when.expression);
    for (const auto& [name, text] : rule.then.values)
      names.push_back(name);
  }
  names.insert(names.end(), inventory.more_columns().begin(), inventory.more_columns().end());
  return names;
}

// "rules.json: /rules/3" -> the two halves.
config::Problem problem_at(const std::string& place, const std::string& below, std::string what,
                           std::string hint) {
  const std::size_t colon = place.rfind(": ");
  return {place.substr(0, colon), place.substr(colon + 2) + below, std::move(what), std::move(hint)};
}

void check_templates(const RuleSet& rules, const Templates& templates, const StateFiles& files,
                     config::Problems& problems) {
  for (const Rule& rule : rules.rules) {
    // Where a file or another rule may take the place, a template may be left out.
    if (!rule.then.files.empty() || rule.then.next_when_missing) continue;
    for (const Pattern& pattern : rule.then.templates)
      if (files.templates.empty())
        problems.push_back(
            problem_at(rule.place, "/then/template", "there are no templates",
                       "set \"templates\" in the settings of the instance to their directory"));
      else if (pattern.is_plain() && rule.then.templates.size() == 1 && !templates.has(pattern.text()))
        problems.push_back(problem_at(
            rule.place, "/then/template", "there is no template " + config::in_quotes(pattern.text()),
            "put a file of that name, which ends in .tmpl, below " + files.templates.string()));
  }
}

void check_verification(const RuleSet& rules, const StateFiles& files, config::Problems& problems) {
  if (files.can_verify || rules.catalogue.images.empty()) return;
  problems.push_back(problem_at(rules.catalogue.images.front().place, "/sha256",
                                "nothing can check this hash without the file",
                                "set \"root\" in the settings of the instance, or \"verify\": \"never\""));
}

// Could this pattern become that path?
bool may_become(const Pattern& pattern, const std::string& release, const std::string& path) {
  const auto with_release = [&](std::string_view name) -> std::optional<std::string> {
    return name == "image" && !release.empty() ? release : std::string(1, '\0');
  };
  const std::string text = pattern.filled(with_release).value_or("");
  const std::size_t first = text.find('\0');
  if (first == std::string::npos) return text == path;
  const std::string_view end = std::string_view(text).substr(text.rfind('\0') + 1);
  return path.size() >= first + end.size() && path.starts_with(text.substr(0, first)) && path.ends_with(end);
}

bool names_image(const RuleSet& rules, const Rule& rule, const Image& image) {
  std::vector<std::string> releases = {""};
  if (rule.then.channel) {
    const Channel& channel = rules.channels[*rule.then.channel];
    releases = {channel.stable, channel.canary};
  }
  if (rule.then.image)
    return !rule.then.image->model.is_plain() || rule.then.image->model.text() == image.model;
  return std::any_of(rule.then.files.begin(), rule.then.files.end(), [&](const Pattern& pattern) {
    return std::any_of(releases.begin(), releases.end(),
                       [&](const std::string& release) { return may_become(pattern, release, image.file); });
  });
}

}  // namespace

config::Checked<std::shared_ptr<const State>> load_state(const StateFiles& files,
                                                         std::vector<fs::path>& looked_at) {
  config::Problems problems;
  auto state = std::make_shared<State>();
  state->inventory = read_inventory(files.inventory, problems);
  auto rules = read_rules(files.rules, {state->inventory.more_columns(), files.files_known}, &looked_at);
  if (!files.inventory.empty()) looked_at.push_back(files.inventory);
  if (!rules) {
    append(problems, rules.problems());
    if (!files.templates.empty()) looked_at.push_back(files.templates);
    return problems;
  }
  state->rules = *rules;
  if (!files.templates.empty())
    state->templates = Templates::from_directory(files.templates, template_names(**rules, state->inventory),
                                                 problems, looked_at);
  check_templates(**rules, state->templates, files, problems);
  check_verification(**rules, files, problems);
  if (!problems.empty()) return problems;
  return std::shared_ptr<const State>(std::move(state));
}

std::string summary_of(const State& state) {
  return fmt::format("{} rules, {} devices, {} images, {} templates", state.rules->rules.size(),
                     state.inventory.devices().size(), state.rules->catalogue.images.size(),
                     state.templates.size());
}

std::vector<std::string> rules_naming(const RuleSet& rules, const Image& image) {
  std::vector<std::string> names;
  for (const Rule& rule : rules.rules)
    if (names_image(rules, rule, image))
      names.push_back(fmt::format("{} ({})", config::in_quotes(rule.id), rule.place));
  return names;
}

}  // namespace tftpkit::firmware
