#include "firmware/firmware.hpp"

#include "kit/neighbour.hpp"
#include "observe/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/stat.h>
#include <utility>

namespace tftpkit::firmware {
namespace {

using std::chrono::system_clock;

std::vector<kit::LeaseFile> lease_files(const Settings& settings) {
  std::vector<kit::LeaseFile> files;
  for (const auto& file : settings.leases)
    files.push_back({file});
  return files;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts)
    all += (all.empty() ? "" : ", ") + text;
  return all;
}

Status status_of(unsigned code) noexcept {
  switch (code) {
  case 1: return Status::not_found;
  case 2: return Status::access;
  case 3: return Status::no_space;
  case 4: return Status::unsupported;
  case 8: return Status::option;
  default: return Status::unavailable;
  }
}

// Does any rule look at this option? A loader that asks twice may send other ones the second time.
bool matters(const RuleSet& rules, const std::string& option) {
  const auto tests = [&](const Conditions& conditions) {
    return std::any_of(conditions.options.begin(), conditions.options.end(),
                       [&](const FieldTest& test) { return test.field == option; });
  };
  return rules.options.contains(option) ||
         std::any_of(rules.rules.begin(), rules.rules.end(), [&](const Rule& rule) {
           return tests(rule.when) || (rule.unless && tests(*rule.unless));
         });
}

// Who asks for what: two requests with the same key are the same to every rule, but for the time.
std::string key_of(const RuleSet& rules, const Question& question, const std::string& name) {
  std::string key = name + '\0';
  if (question.peer) key += kit::ip_text(*question.peer);
  for (const auto& mac : {question.neighbour, question.lease})
    key += '\0' + (mac ? kit::mac_text(*mac) : std::string());
  for (const auto& [option, value] : question.options)
    if (matters(rules, option)) key.append(1, '\0').append(option).append(1, '=').append(value);
  return key;
}

// An empty file is no answer: several boot loaders hang or crash at it.
bool has_content(const std::filesystem::path& file) {
  struct stat seen {};
  return ::stat(file.c_str(), &seen) == 0 && S_ISREG(seen.st_mode) && seen.st_size > 0;
}

}  // namespace

Firmware::Firmware(Host host)
    : host_(host), settings_(read_settings(host)), cache_(settings_.remember),
      leases_(host, lease_files(settings_)), state_(host, {"the rule set",
                                                           {settings_.rules},
                                                           [this] { return load(); },
                                                           summary_of,
                                                           [this] { return looked_at_; }}) {
  if (!settings_.root.empty() && settings_.verify)
    verifier_.emplace(settings_.root,
                      [this](const Verifier::Wanted& wanted, Verifier::Verdict verdict,
                             const std::string& text) { report_image(wanted, verdict, text); });
  if (!settings_.record.empty())
    recorder_.emplace(settings_.record, [this](const std::string& text) { host_.log(Level::warning, text); });
  state_.load_first();
}

void Firmware::start() {
  if (recorder_) recorder_->start();
  if (verifier_) verifier_->start();
  leases_.start();
  state_.start();
}

void Firmware::stop() {
  state_.stop();
  leases_.stop();
  if (verifier_) verifier_->stop();
  if (recorder_) recorder_->stop();
}

config::Checked<Firmware::StatePointer> Firmware::load() {
  looked_at_.clear();
  const bool has_root = !settings_.root.empty();
  auto state = load_state(
      {settings_.rules, settings_.inventory, settings_.templates, has_root, has_root || !settings_.verify},
      looked_at_);
  if (state) verify(**state);
  return state;
}

void Firmware::verify(const State& state) {
  if (!verifier_) return;
  std::vector<Verifier::Wanted> images;
  for (const Image& image : state.rules->catalogue.images) {
    const std::vector<std::string> rules = rules_naming(*state.rules, image);
    images.push_back(
        {image.file, image.sha256, image.size,
         fmt::format("{}; {}", image.place,
                     rules.empty() ? "no rule leads to it" : "asked for by rule " + joined(rules))});
  }
  verifier_->want(std::move(images));
}

void Firmware::report_image(const Verifier::Wanted& wanted, Verifier::Verdict verdict,
                            const std::string& text) {
  if (verdict == Verifier::Verdict::good)
    return host_.log(Level::info, fmt::format("image {}: it is what the catalogue says", wanted.file));
  host_.log(Level::error, fmt::format("image {} is not handed out: {} ({})", wanted.file, text, wanted.told));
}

Question Firmware::question_of(const Request& request) const {
  Question question;
  question.name = request.path();
  question.peer = kit::ip_of(request.peer());
  question.neighbour = kit::neighbour_of(*host_.table(), request.id());
  question.time = system_clock::now();
  if (question.peer)
    for (const auto& leases : leases_.now())
      if (const kit::Lease* lease = leases->find(*question.peer, system_clock::to_time_t(question.time))) {
        question.lease = lease->mac;
        break;
      }
  for (const tftpkit_option& option : request.options())
    question.options.emplace_back(view_of(option.name), view_of(option.value));
  return question;
}

Stock Firmware::stock_of(const State& state) const {
  Stock stock;
  if (!settings_.root.empty())
    stock.file = [this](const std::string& path) { return has_content(settings_.root / path); };
  stock.text = [&state](const std::string& name) { return state.templates.has(name); };
  return stock;
}

std::shared_ptr<const Cached> Firmware::companion_of_cached(const Question& question,
                                                            const StatePointer& state) {
  const auto now = DecisionCache::Clock::now();
  for (const Rule& rule : state->rules->rules)
    for (const std::string& suffix : rule.companions) {
      if (!question.name.ends_with(suffix)) continue;
      const auto image = cache_.find(
          key_of(*state->rules, question, question.name.substr(0, question.name.size() - suffix.size())),
          state.get(), now);
      if (!image || image->decision.rule != rule.id || image->decision.kind != Decision::Kind::file) continue;
      auto companion = std::make_shared<Cached>(*image);
      companion->decision.path += suffix;
      companion->decision.sha256.clear();
      companion->decision.why += "; companion of what it got before";
      return companion;
    }
  return nullptr;
}

std::shared_ptr<const Cached> Firmware::decision_for(const Question& question, const StatePointer& state) {
  const std::string key = key_of(*state->rules, question, question.name);
  const auto now = DecisionCache::Clock::now();
  if (auto cached = cache_.find(key, state.get(), now)) return cached;
  if (auto companion = companion_of_cached(question, state)) return companion;
  auto made = std::make_shared<Cached>();
  made->state = state;
  made->decision = decided(*state->rules, state->inventory, stock_of(*state), question);
  const Decision::Kind kind = made->decision.kind;
  // A miss costs little, and the file that was missing may be there at once.
  if (kind == Decision::Kind::file || kind == Decision::Kind::text) cache_.put(key, made, now);
  return made;
}

Answer Firmware::open(const Request& request) {
  const StatePointer state = state_.now();
  const Question question = question_of(request);
  const auto cached = decision_for(question, state);
  if (host_.log_enabled(Level::debug))
    host_.log(Level::debug, fmt::format("request {}: \"{}\" from {} (by {}): {}", request.id(),
                                        observe::escaped(question.name), cached->decision.identity.text(),
                                        source_text(cached->decision.identity.source), cached->decision.why));
  return answer_to(request, question, *cached);
}

Answer Firmware::answer_to(const Request& request, const Question& question, const Cached& cached) {
  const Decision& decision = cached.decision;
  switch (decision.kind) {
  case Decision::Kind::file: return file_answer(request, question, decision);
  case Decision::Kind::text: return text_answer(request, question, cached);
  case Decision::Kind::decline: return declined(decision.why);
  case Decision::Kind::refuse:
  case Decision::Kind::store: break;
  }
  return error(status_of(decision.refusal.code), decision.refusal.message);
}

Answer Firmware::file_answer(const Request& request, const Question& question, const Decision& decision) {
  const bool to_check = verifier_ && !decision.sha256.empty();
  const auto verdict =
      to_check ? verifier_->verdict(decision.path, decision.sha256) : Verifier::Verdict::good;
  if (verdict == Verifier::Verdict::good) {
    remember(request.id(), given_for(question, decision));
    return redirect(decision.path);
  }
  Given given = given_for(question, decision);
  given.outcome = "refused";
  if (recorder_) recorder_->add(given);
  if (verdict == Verifier::Verdict::checking)
    return error(Status::unavailable,
                 fmt::format("rule {}: {} is still being checked, ask again", decision.rule, decision.path));
  return error(Status::access,
               fmt::format("rule {}: {} is not what the catalogue says", decision.rule, decision.path));
}

Answer Firmware::text_answer(const Request& request, const Question& question, const Cached& cached) {
  std::string content = cached.state->templates.rendered(cached.decision.path, cached.decision.values);
  if (content.empty())
    return error(Status::not_found, fmt::format("rule {}: the template {} came out empty",
                                                cached.decision.rule, cached.decision.path));
  remember(request.id(), given_for(question, cached.decision));
  return text(std::move(content));
}

Given Firmware::given_for(const Question& question, const Decision& decision) {
  Given given;
  given.time = question.time;
  given.device = decision.identity.text();
  given.source = source_text(decision.identity.source);
  given.known = decision.identity.device != nullptr;
  if (question.peer) given.peer = kit::ip_text(*question.peer);
  given.name = question.name;
  given.rule = decision.rule;
  given.channel = decision.channel;
  given.profile = decision.profile;
  given.image = decision.path;
  given.model = decision.model;
  given.version = decision.version;
  return given;
}

void Firmware::remember(std::uint64_t request_id, Given given) {
  if (!recorder_) return;
  const std::lock_guard lock(open_mutex_);
  open_.insert_or_assign(request_id, std::move(given));
}

void Firmware::closed(std::uint64_t request_id, const Outcome& outcome) {
  if (!recorder_) return;
  std::unordered_map<std::uint64_t, Given>::node_type node;
  {
    const std::lock_guard lock(open_mutex_);
    node = open_.extract(request_id);
  }
  if (node.empty()) return;
  node.mapped().outcome = outcome_text(outcome.end);
  node.mapped().bytes = outcome.bytes;
  recorder_->add(node.mapped());
}

}  // namespace tftpkit::firmware
