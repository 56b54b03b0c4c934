#include "firmware/read_rules.hpp"

#include "config/nearest.hpp"
#include "firmware/read_action.hpp"
#include "firmware/read_catalogue.hpp"
#include "firmware/read_conditions.hpp"
#include "kit/json_file.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <set>

namespace tftpkit::firmware {
namespace {

namespace fs = std::filesystem;
using config::in_quotes;
using config::Report;

// One file while it is read. Its report lives as long as the reading.
struct Document {
  fs::path path;
  Report report;
  Json json;

  explicit Document(const fs::path& file) : path(file), report(file.string()) {}
};

class RulesReader {
 public:
  explicit RulesReader(const Surroundings& surroundings) : surroundings_(surroundings) {}

  void read(const fs::path& file) {
    Document* main = open(file);
    if (main == nullptr) return;
    open_included(*main);
    // What rules refer to comes first, from all files.
    for (Document& document : documents_)
      read_shared(document);
    for (Document& document : documents_)
      check_steps(rules_->catalogue, document.path.string(), document.report);
    read_rule_list(*main, true);
    check_last(*main);
  }

  [[nodiscard]] config::Problems problems() {
    config::Problems all;
    for (Document& document : documents_)
      for (config::Problem& problem : document.report.take())
        all.push_back(std::move(problem));
    return all;
  }
  [[nodiscard]] std::shared_ptr<const RuleSet> rules() const { return rules_; }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const Document& document : documents_)
      files.push_back(document.path);
    return files;
  }

 private:
  // nullptr: it cannot be read, which is reported.
  Document* open(const fs::path& file) {
    Document& document = documents_.emplace_back(file);
    auto json = kit::json_of_file(file, document.report);
    if (!json) return nullptr;
    document.json = std::move(*json);
    if (document.json.is_object()) return &document;
    ObjectReader complain(document.json, "", document.report);
    return nullptr;
  }

  void open_included(Document& main) {
    const auto rules = main.json.find("rules");
    if (rules == main.json.end() || !rules->is_array()) return;
    for (std::size_t i = 0; i < rules->size(); ++i) {
      const Json& one = (*rules)[i];
      if (!one.is_object() || !one.contains("include") || !one["include"].is_string()) continue;
      const fs::path file = main.path.parent_path() / one["include"].get<std::string>();
      included_[i] = open(file);
    }
  }

  void read_shared(Document& document) {
    if (!document.json.is_object()) return;
    ObjectReader reader(document.json, "", document.report);
    read_extractors(reader);
    read_options(reader);
    read_channels(reader, rules_->channels);
    read_catalogue(reader, document.path.string(), rules_->catalogue);
    read_uploads(reader, rules_->uploads);
    read_asks(reader);
    for (const char* read_elsewhere : {"rules", "description"})
      static_cast<void>(reader.member(read_elsewhere));
    reader.finish();
  }

  void read_extractors(ObjectReader& top) {
    top.array("extractors", [&](const Json& object, const std::string& pointer) {
      ObjectReader reader(object, pointer, top.report());
      std::string id;
      if (reader.require("id", "\"id\": \"serial-in-name\"")) reader.text("id", id);
      static_cast<void>(reader.require("regex", R"("regex": "^conf\\.([A-Z0-9]{11})$")"));
      auto expression = read_expression(reader, "regex");
      reader.finish();
      const bool twice = std::any_of(rules_->extractors.begin(), rules_->extractors.end(),
                                     [&](const Extractor& one) { return one.id == id; });
      if (twice)
        top.report().add(pointer + "/id",
                         {"the extractor " + in_quotes(id) + " is there twice", "give it another id"});
      else if (expression)
        rules_->extractors.push_back({std::move(id), std::move(*expression)});
    });
  }

  void read_options(ObjectReader& top) {
    const Json* object = top.member("options");
    if (object == nullptr) return;
    ObjectReader reader(*object, "/options", top.report());
    if (!object->is_object()) return;
    for (const auto& [option, ignored] : object->items()) {
      std::string value;
      reader.text(option, value);
      if (kit::lower_case(option) != option)
        top.report().add(config::below("/options", option), {"names of options are compared in lower case",
                                                             "write " + in_quotes(kit::lower_case(option))});
      if (!value.empty()) rules_->options.insert_or_assign(option, value);
    }
  }

  void read_asks(ObjectReader& top) {
    top.array("asks", [&](const Json& object, const std::string& pointer) {
      ObjectReader reader(object, pointer, top.report());
      Asks asks;
      asks.who = read_fields(reader);
      if (reader.require("names", R"("names": ["SEP{mac:upper}.cnf.xml"])"))
        reader.texts("names", [&](const std::string& text, const std::string& place) {
          asks.names.push_back(read_pattern(text, place, usual_names(), top.report()));
        });
      reader.finish();
      rules_->asks.push_back(std::move(asks));
    });
  }

  void read_rule_list(Document& document, bool may_include) {
    ObjectReader reader(document.json, "", document.report);
    if (!reader.require("rules", R"("rules": [ {"id": "last", "then": {"decline": true}} ])")) return;
    std::size_t index = 0;
    reader.array("rules", [&](const Json& object, const std::string& pointer) {
      const std::size_t here = index++;
      if (object.is_object() && object.contains("include"))
        read_include(object, pointer, document, may_include, here);
      else
        read_rule(object, pointer, document);
    });
  }

  void read_include(const Json& object, const std::string& pointer, Document& document, bool may_include,
                    std::size_t index) {
    ObjectReader reader(object, pointer, document.report);
    std::string ignored;
    reader.text("include", ignored);
    reader.finish();
    if (!may_include)
      document.report.add(
          pointer, {"a file that is included cannot include others", "include that file from the first one"});
    else if (const auto file = included_.find(index); file != included_.end() && file->second != nullptr)
      read_rule_list(*file->second, false);
  }

  void read_rule(const Json& object, const std::string& pointer, Document& document) {
    Report& report = document.report;
    ObjectReader reader(object, pointer, report);
    Rule rule;
    rule.place = document.path.string() + ": " + pointer;
    if (reader.require("id", "\"id\": \"polycom-sip\"")) reader.text("id", rule.id);
    if (!rule.id.empty() && !ids_.insert(rule.id).second)
      report.add(pointer + "/id",
                 {"there is another rule " + in_quotes(rule.id), "give it an id of its own"});
    static_cast<void>(reader.member("comment"));
    if (const Json* when = reader.member("when"))
      rule.when = read_conditions(*when, pointer + "/when", rules_->extractors, report);
    if (const Json* unless = reader.member("unless"))
      rule.unless = read_conditions(*unless, pointer + "/unless", rules_->extractors, report);
    if (rule.unless && rule.unless->empty())
      report.add(pointer + "/unless",
                 {"it has no condition, so the rule would never apply", "add a condition, or leave it out"});
    read_companions(reader, rule);
    if (reader.require("then", R"("then": {"file": "phones/{base}"})"))
      rule.then = read_action(
          *reader.member("then"), pointer + "/then",
          {&rules_->channels, &rules_->catalogue, names_for(rule.when), surroundings_.files_known}, report);
    reader.finish();
    if (object.is_object()) check_reached(rule, object, pointer, report);
    rules_->rules.push_back(std::move(rule));
  }

  static void read_companions(ObjectReader& reader, Rule& rule) {
    reader.texts("companions", [&](const std::string& suffix, const std::string& pointer) {
      if (suffix.size() > 1 && suffix.front() == '.' && suffix.find('/') == std::string::npos)
        rule.companions.push_back(suffix);
      else
        reader.report().add(pointer,
                            {in_quotes(suffix) + " is no end of a file name", "write for example \".md5\""});
    });
  }

  void check_reached(const Rule& rule, const Json& object, const std::string& pointer, Report& report) {
    if (!catch_all_.empty())
      report.add(pointer, {"no request gets here, because the rule " + in_quotes(catch_all_) +
                               " in front of it takes all",
                           "put the rule without conditions at the end"});
    // A condition that could not be read is none that is missing.
    const bool takes_all = !object.contains("when") || object["when"].empty();
    if (takes_all && !rule.unless && !rule.then.next_when_missing && catch_all_.empty()) catch_all_ = rule.id;
  }

  void check_last(Document& main) {
    if (!catch_all_.empty() || !main.json.contains("rules") || !main.json["rules"].is_array()) return;
    main.report.add(
        "/rules",
        {"there is no last rule that takes what no other rule wants",
         R"(end the list with a rule without "when", for example {"id": "last", "then": {"decline": true}})"});
  }

  // The names for which every device may have a value.
  std::vector<std::string> usual_names() const {
    std::vector<std::string> names = {"name",  "base",   "mac",      "ip",    "serial",  "uuid",
                                      "model", "vendor", "hostname", "group", "version", "hexip"};
    names.insert(names.end(), surroundings_.columns.begin(), surroundings_.columns.end());
    for (const auto& [option, value] : rules_->options)
      names.push_back(value);
    return names;
  }

  std::vector<std::string> names_for(const Conditions& when) const {
    std::vector<std::string> names = usual_names();
    const auto add = [&](const NameExpression& expression) {
      for (const std::string& name : expression.captures())
        if (!name.empty()) names.push_back(name);
    };
    if (when.expression) add(*when.expression);
    for (const std::size_t index : when.extractors)
      add(rules_->extractors[index].expression);
    return names;
  }

  const Surroundings& surroundings_;
  std::list<Document> documents_;              // the first is the one that was named
  std::map<std::size_t, Document*> included_;  // by the index of the element that includes it
  std::shared_ptr<RuleSet> rules_ = std::make_shared<RuleSet>();
  std::set<std::string> ids_;
  std::string catch_all_;  // the first rule that takes everything
};

}  // namespace

config::Checked<std::shared_ptr<const RuleSet>>
read_rules(const fs::path& file, const Surroundings& surroundings, std::vector<fs::path>* files) {
  RulesReader reader(surroundings);
  reader.read(file);
  if (files != nullptr) *files = reader.files();
  if (config::Problems problems = reader.problems(); !problems.empty()) return problems;
  return reader.rules();
}

}  // namespace tftpkit::firmware
