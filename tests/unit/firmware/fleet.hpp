// What the tests of the firmware plugin share: a fleet with its rules (fleet/), and rules made of a few
// lines.
#pragma once

#include "firmware/decide.hpp"
#include "firmware/read_rules.hpp"
#include "support/scratch.hpp"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace firmware_test {

namespace fw = tftpkit::firmware;

[[nodiscard]] std::string text_of(const std::filesystem::path& file);

// Rules with everything that a decision needs.
struct World {
  std::shared_ptr<const fw::RuleSet> rules;
  fw::Inventory inventory;
  std::set<std::string> files;

  [[nodiscard]] fw::Stock stock() const;
  [[nodiscard]] fw::Decision decide(const fw::Question& question, fw::Trace* trace = nullptr) const;
  // A request from an address, at noon of 2026-11-25 (a Wednesday) in UTC.
  [[nodiscard]] fw::Decision ask(const std::string& name, const std::string& peer = "192.0.2.1") const;
};

[[nodiscard]] fw::Question question(const std::string& name, const std::string& peer = "192.0.2.1");

// Fails the test when the rules or the inventory are not right.
[[nodiscard]] World world(const std::string& rules, const std::string& inventory = "mac\n",
                          std::set<std::string> files = {});
// The complaints about this text as rules file "rules.json", with the directory taken out.
[[nodiscard]] std::string complaints(const std::string& rules, const fw::Surroundings& surroundings = {});

}  // namespace firmware_test
