#include "firmware/decide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tftpkit::firmware {
namespace {

// The request as one rule sees it: a companion's name without its suffix.
struct Asked {
  std::string name;
  std::string suffix;  // empty: the image itself
};

Asked asked_of(const Rule& rule, const std::string& name) {
  for (const std::string& suffix : rule.companions)
    if (name.size() > suffix.size() && name.ends_with(suffix))
      return {name.substr(0, name.size() - suffix.size()), suffix};
  return {name, {}};
}

// A value that a client chose may become part of a path.
bool is_harmless(std::string_view text) noexcept {
  constexpr std::string_view punctuation = "._()+-:";
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

Values values_in_options(const RuleSet& rules, const Question& question) {
  Values values;
  for (const auto& [option, text] : question.options)
    if (const auto known = rules.options.find(option); known != rules.options.end() && is_harmless(text))
      values.emplace(known->second, text);
  return values;
}

std::string base_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// Who asks, as far as a set of captures says. Rules share the answers.
class Askers {
 public:
  Askers(const RuleSet& rules, const Inventory& inventory, const Question& question)
      : rules_(rules), inventory_(inventory), question_(question),
        in_options_(values_in_options(rules, question)) {}

  // For a rule that captures nothing itself: what all extractors find in the name, the first one first.
  const Identity& general() {
    if (!general_) {
      Values captured;
      for (const Extractor& extractor : rules_.extractors)
        static_cast<void>(extractor.expression.fits(question_.name, captured));
      general_ = std::make_unique<Identity>(with(captured));
    }
    return *general_;
  }
  [[nodiscard]] Identity with(const Values& captured) const {
    return identified(question_, captured, in_options_, inventory_);
  }

 private:
  const RuleSet& rules_;
  const Inventory& inventory_;
  const Question& question_;
  Values in_options_;
  std::unique_ptr<Identity> general_;
};

// Do the conditions about the name hold? What they capture goes into `captured`.
bool name_fits(const Conditions& conditions, const RuleSet& rules, const std::string& name,
               Values& captured) {
  const auto fits = [&](const config::Glob& glob) { return glob.matches(name); };
  if (!conditions.names.empty() && std::none_of(conditions.names.begin(), conditions.names.end(), fits))
    return false;
  if (conditions.expression && !conditions.expression->fits(name, captured)) return false;
  return conditions.extractors.empty() ||
         std::any_of(conditions.extractors.begin(), conditions.extractors.end(), [&](std::size_t index) {
           return rules.extractors[index].expression.fits(name, captured);
         });
}

// What a pattern may be filled with.
class Fillings {
 public:
  Fillings(const Asked& asked, const Identity& identity) : identity_(identity) {
    own_.emplace("name", asked.name);
    own_.emplace("base", base_of(asked.name));
    if (identity.mac) own_.emplace("mac", kit::mac_text(*identity.mac, 0));
    if (!identity.ip) return;
    own_.emplace("ip", kit::ip_text(*identity.ip));
    if (identity.value("hexip").empty()) own_.emplace("hexip", kit::ip_hex(*identity.ip));
  }
  void set(const std::string& name, const std::string& text) {
    if (!text.empty()) own_.insert_or_assign(name, text);
  }
  [[nodiscard]] Pattern::Lookup lookup() const {
    return [this](std::string_view name) -> std::optional<std::string> {
      if (const auto at = own_.find(name); at != own_.end()) return at->second;
      const std::string_view text = identity_.value(name);
      return text.empty() ? std::nullopt : std::optional<std::string>(text);
    };
  }
  // For templates, which have no filters: a MAC in every spelling.
  [[nodiscard]] Values all() const {
    Values values = own_;
    if (identity_.mac) {
      values.emplace("mac_upper", kit::mac_text(*identity_.mac, 0, kit::Case::upper));
      values.emplace("mac_colons", kit::mac_text(*identity_.mac, ':'));
      values.emplace("mac_dashes", kit::mac_text(*identity_.mac, '-'));
    }
    for (const auto& [name, text] : identity_.values)
      values.emplace(name, text);
    return values;
  }

 private:
  const Identity& identity_;
  Values own_;
};

// Carries out what one rule says.
class Execution {
 public:
  Execution(const RuleSet& rules, const Stock& stock, const Rule& rule, Asked asked, Identity identity)
      : rules_(rules), stock_(stock), rule_(rule), asked_(std::move(asked)), identity_(std::move(identity)),
        fillings_(asked_, identity_) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // nullopt: nothing that it names exists, and the next rule shall be asked.
  std::optional<Decision> run() {
    decision_.why = "rule " + rule_.id;
    const bool decided = settle();
    if (!decided && rule_.then.next_when_missing) return std::nullopt;
    if (!decided) refuse({1, "File not found"});
    finish();
    return std::move(decision_);
  }

 private:
  bool settle() {
    const Action& then = rule_.then;
    if (then.decline) {
      decision_.kind = Decision::Kind::decline;
      return true;
    }
    if (then.refusal) {
      refuse(*then.refusal);
      return true;
    }
    take_release();
    return (then.image && image_of_catalogue(*then.image)) || first_file() || first_template();
  }

  void refuse(const Refusal& refusal) {
    decision_.kind = Decision::Kind::refuse;
    decision_.refusal = refusal;
    decision_.path.clear();
    decision_.sha256.clear();
  }

  void take_release() {
    if (!rule_.then.channel) return;
    const Channel& channel = rules_.channels[*rule_.then.channel];
    const Release release = release_for(channel, identity_);
    decision_.channel = release.side;
    decision_.version = release.release;
    decision_.why += fmt::format("; channel {}: {} ({})", channel.name, release.side, release.why);
    fillings_.set("image", release.release);
  }

  bool image_of_catalogue(const ImageChoice& choice) {
    const auto model = choice.model.filled(fillings_.lookup());
    auto version = choice.version ? choice.version->filled(fillings_.lookup()) : decision_.version;
    if (!model || !version || version->empty()) return missing("model or version is not known");
    const std::string_view installed = identity_.value("version");
    if (const Step* step = rules_.catalogue.step_before(*model, installed, *version)) {
      decision_.why += fmt::format("; {} is installed and on the way to {} comes {} first", installed,
                                   *version, step->via);
      version = step->via;
    }
    const Image* image = rules_.catalogue.find(*model, *version);
    if (image == nullptr) return missing(fmt::format("the catalogue has no {} {}", *model, *version));
    return file(image->file);
  }

  bool first_file() {
    return std::any_of(rule_.then.files.begin(), rule_.then.files.end(), [&](const Pattern& pattern) {
      const auto path = path_from(pattern);
      return path && file(*path);
    });
  }

  bool first_template() {
    if (!asked_.suffix.empty()) return false;  // a generated text has no companion
    return std::any_of(rule_.then.templates.begin(), rule_.then.templates.end(), [&](const Pattern& pattern) {
      const auto path = path_from(pattern);
      if (!path) return false;
      if (stock_.text && !stock_.text(*path)) return missing("no template " + *path);
      decision_.kind = Decision::Kind::text;
      decision_.path = *path;
      return true;
    });
  }

  bool file(const std::string& path) {
    // The image decides, so that a companion never belongs to another one.
    if (stock_.file && !stock_.file(path)) return missing("no file " + path);
    const Image* image = rules_.catalogue.by_file(path);
    decision_.kind = Decision::Kind::file;
    decision_.path = path + asked_.suffix;
    if (image != nullptr) {
      decision_.model = image->model;
      decision_.version = image->version;
      if (asked_.suffix.empty()) decision_.sha256 = image->sha256;
    }
    return asked_.suffix.empty() || !stock_.file || stock_.file(decision_.path) ||
           missing("no file " + decision_.path);
  }

  std::optional<std::string> path_from(const Pattern& pattern) {
    std::string unknown;
    auto path = pattern.filled(fillings_.lookup(), &unknown);
    if (!path) {
      missing(fmt::format("{} is not known for {}", unknown, pattern.text()));
      return std::nullopt;
    }
    if (is_clean_path(*path)) return path;
    missing("not a clean path: " + pattern.text());
    return std::nullopt;
  }

  // Always false.
  bool missing(const std::string& what) {
    decision_.why += "; " + what;
    return false;
  }

  void finish() {
    decision_.rule = rule_.id;
    decision_.place = rule_.place;
    decision_.profile = rule_.then.profile;
    if (decision_.model.empty()) decision_.model = identity_.value("model");
    if (decision_.kind == Decision::Kind::text) {
      decision_.values = fillings_.all();
      for (const auto& [name, text] : rule_.then.values)
        decision_.values.insert_or_assign(name, text);
    }
    decision_.identity = std::move(identity_);
  }

  const RuleSet& rules_;
  const Stock& stock_;
  const Rule& rule_;
  Asked asked_;
  Identity identity_;
  Fillings fillings_;
  Decision decision_;
};

Decision nothing_fits(Identity identity) {
  Decision decision;
  decision.refusal = {1, "File not found"};
  decision.why = "no rule fits";
  decision.identity = std::move(identity);
  return decision;
}

}  // namespace

Decision decided(const RuleSet& rules, const Inventory& inventory, const Stock& stock,
                 const Question& question, Trace* trace) {
  Askers askers(rules, inventory, question);
  const auto passed = [&](const Rule& rule, std::string_view condition) {
    if (trace != nullptr) trace->emplace_back(rule.id, condition);
  };
  for (const Rule& rule : rules.rules) {
    Asked asked = asked_of(rule, question.name);
    Values captured;
    if (!name_fits(rule.when, rules, asked.name, captured)) {
      passed(rule, "name");
      continue;
    }
    Identity identity = captured.empty() ? askers.general() : askers.with(captured);
    if (const auto condition = unfulfilled(rule.when, identity, question); !condition.empty()) {
      passed(rule, condition);
      continue;
    }
    Values ignored;
    if (rule.unless && name_fits(*rule.unless, rules, asked.name, ignored) &&
        unfulfilled(*rule.unless, identity, question).empty()) {
      passed(rule, "unless");
      continue;
    }
    if (auto decision = Execution(rules, stock, rule, std::move(asked), std::move(identity)).run())
      return *decision;
    passed(rule, "nothing that it names exists");
  }
  return nothing_fits(askers.general());
}

Decision decided_upload(const RuleSet& rules, const Inventory& inventory, const Question& question) {
  Askers askers(rules, inventory, question);
  Decision decision = nothing_fits(askers.general());
  decision.refusal = {2, "nothing may be sent under this name"};
  decision.why = "no upload fits";
  for (const Upload& upload : rules.uploads) {
    Values ignored;
    const auto fits = [&](const config::Glob& glob) { return glob.matches(question.name); };
    const bool by_glob = std::any_of(upload.names.begin(), upload.names.end(), fits);
    if (!by_glob && !(upload.expression && upload.expression->fits(question.name, ignored))) continue;
    decision.kind = Decision::Kind::store;
    decision.path = upload.directory + "/" + base_of(question.name);
    decision.max_size = upload.max_size;
    decision.rule = upload.id;
    decision.why = "upload " + upload.id;
    break;
  }
  return decision;
}

}  // namespace tftpkit::firmware
