// Everything that answers depend on, made from its files as a whole: rules, inventory and templates fit
// together or the old state goes on. Immutable, shared by all threads.
#pragma once

#include "config/problem.hpp"
#include "firmware/decide.hpp"
#include "firmware/inventory.hpp"
#include "firmware/rules.hpp"
#include "firmware/templates.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tftpkit::firmware {

struct StateFiles {
  std::filesystem::path rules;
  std::filesystem::path inventory;  // empty: none
  std::filesystem::path templates;  // empty: none
  bool files_known = true;          // is there a root to look into?
  bool can_verify = true;           // can hashes be checked, or shall they not be?
};

struct State {
  std::shared_ptr<const RuleSet> rules;
  Inventory inventory;
  Templates templates;
};

// `looked_at` gets all files and directories that it depends on, also when something is wrong.
[[nodiscard]] config::Checked<std::shared_ptr<const State>>
load_state(const StateFiles& files, std::vector<std::filesystem::path>& looked_at);

// "12 rules, 24 devices, 3 images, 5 templates"
[[nodiscard]] std::string summary_of(const State& state);

// The rules that may lead to this image, as `"nxos-image" (rules.json: /rules/3)`, in their order.
[[nodiscard]] std::vector<std::string> rules_naming(const RuleSet& rules, const Image& image);

}  // namespace tftpkit::firmware
