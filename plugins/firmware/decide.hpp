// The decision: which rule answers a request, and with what. A pure function of the rules, the inventory,
// what exists and the question. The plugin and the dry run (`tftpkit firmware plan`) call the same.
#pragma once

#include "firmware/question.hpp"
#include "firmware/rules.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::firmware {

// What there is to hand out. Without `file` every file counts as present.
struct Stock {
  std::function<bool(const std::string& path)> file;
  std::function<bool(const std::string& name)> text;  // templates
};

struct Decision {
  enum class Kind { file, text, refuse, decline, store };

  Kind kind = Kind::refuse;
  std::string
      path;  // file: the clean path to ask the next instances for; text: the template; store: where to
  Refusal refusal;
  std::uint64_t max_size = 0;  // store

  std::string rule;     // its id
  std::string place;    // where the rule stands
  std::string channel;  // the side: "pin", "canary", "stable"; empty without a channel
  std::string profile;
  std::string model;    // of the image, when the catalogue knows it; else the device's
  std::string version;  // of the image
  std::string sha256;   // not empty: serve nothing else
  std::string why;      // "rule nxos-image; canary: ring canary"
  Values values;        // for the template
  Identity identity;    // its device points into the inventory
};

// Why the rules before the one that decided did not: (rule, condition).
using Trace = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] Decision decided(const RuleSet& rules, const Inventory& inventory, const Stock& stock,
                               const Question& question, Trace* trace = nullptr);

// May this be sent to us, and whereto?
[[nodiscard]] Decision decided_upload(const RuleSet& rules, const Inventory& inventory,
                                      const Question& question);

}  // namespace tftpkit::firmware
