// A set of rules as values: who gets what. Made whole from its files (read_rules.hpp) or not at all, and
// never changed afterwards, so many threads read it at once.
#pragma once

#include "firmware/catalogue.hpp"
#include "firmware/conditions.hpp"
#include "firmware/placeholders.hpp"
#include "firmware/rollout.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tftpkit::firmware {

struct Refusal {
  unsigned code = 1;  // of the ERROR packet: 0, 1, 2, 3, 4 or 8
  std::string message;
};

// Which image of the catalogue: by version, or by the release that a channel says.
struct ImageChoice {
  Pattern model;
  std::optional<Pattern> version;
};

// What a rule does. Exactly one kind is set; files and templates may stand together, files first.
struct Action {
  std::vector<Pattern> files;      // the first that exists
  std::vector<Pattern> templates;  // the first that exists
  std::optional<ImageChoice> image;
  std::optional<Refusal> refusal;
  bool decline = false;

  std::optional<std::size_t> channel;  // by index
  bool next_when_missing = false;      // nothing exists: go on with the next rule instead of "File not found"
  std::string profile;                 // a word for the record
  Values values;                       // more for the templates
};

struct Rule {
  std::string id;
  std::string place;  // "rules.json: /rules/3"
  Conditions when;
  std::optional<Conditions> unless;
  Action then;
  std::vector<std::string> companions;  // ".md5": the name with it is answered like the name without
};

// What clients may send. The first that fits counts; nothing else is taken.
struct Upload {
  std::string id;
  std::vector<config::Glob> names;
  std::optional<NameExpression> expression;
  std::string directory;
  std::uint64_t max_size = 0;  // bytes
};

// Which names devices of a kind ask for: for dry runs over a fleet.
struct Asks {
  std::vector<FieldTest> who;
  std::vector<Pattern> names;
};

struct RuleSet {
  std::vector<Extractor> extractors;
  std::map<std::string, std::string, std::less<>> options;  // TFTP option -> the value that it carries
  std::vector<Channel> channels;
  Catalogue catalogue;
  std::vector<Rule> rules;
  std::vector<Upload> uploads;
  std::vector<Asks> asks;
};

}  // namespace tftpkit::firmware
