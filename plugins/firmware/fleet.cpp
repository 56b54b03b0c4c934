#include "firmware/fleet.hpp"

#include "config/nearest.hpp"

#include <algorithm>

namespace tftpkit::firmware {
namespace {

// What the device shows beside the name: the MAC that the neighbour table would know, and its address.
Question question_of(const Device& device, std::chrono::system_clock::time_point time) {
  Question question;
  question.peer = device.ip;
  question.neighbour = device.mac;
  question.time = time;
  return question;
}

Identity identity_of(const Device& device) {
  Inventory none;
  Values named;
  for (const auto& [name, text] : {std::pair{"serial", device.serial},
                                   {"uuid", device.uuid},
                                   {"hostname", device.hostname},
                                   {"model", device.model},
                                   {"vendor", device.vendor},
                                   {"group", device.group},
                                   {"version", device.version}})
    if (!text.empty()) named.emplace(name, text);
  named.insert(device.more.begin(), device.more.end());
  return identified(question_of(device, {}), named, {}, none);
}

bool is_who(const std::vector<FieldTest>& who, const Identity& identity) {
  Conditions conditions;
  conditions.fields = who;
  return unfulfilled(conditions, identity, {}).empty();
}

config::Problem no_pattern(const std::string& text, const config::Complaint& complaint) {
  return {"", "", config::in_quotes(text) + ": " + complaint.what, complaint.hint};
}

class Fleet {
 public:
  Fleet(const RuleSet& rules, std::chrono::system_clock::time_point time) : rules_(rules), time_(time) {}

  void ask(const Device& device, const std::vector<std::string>& names) {
    identity_ = identity_of(device);
    for (const std::string& name : names.empty() ? device.asks : names) {
      auto pattern = Pattern::from(name);
      if (const auto* complaint = std::get_if<config::Complaint>(&pattern))
        problems_.push_back(no_pattern(name, *complaint));
      else
        add(device, std::get<Pattern>(pattern));
    }
    if (!names.empty() || !device.asks.empty()) return;
    for (const Asks& asks : rules_.asks)
      if (is_who(asks.who, identity_))
        for (const Pattern& pattern : asks.names)
          add(device, pattern);
  }
  config::Checked<std::vector<Asking>> take() {
    if (problems_.empty() && askings_.empty())
      problems_.push_back({"", "", "there are no names to ask for",
                           "give --name, a column \"asks\" in the devices, or \"asks\" in the rules"});
    if (!problems_.empty()) return std::move(problems_);
    return std::move(askings_);
  }

 private:
  void add(const Device& device, const Pattern& pattern) {
    const auto name = pattern.filled([&](std::string_view key) -> std::optional<std::string> {
      if (key == "mac") return identity_.mac ? std::optional(kit::mac_text(*identity_.mac, 0)) : std::nullopt;
      if (key == "ip") return identity_.ip ? std::optional(kit::ip_text(*identity_.ip)) : std::nullopt;
      if (key == "hexip") return identity_.ip ? std::optional(kit::ip_hex(*identity_.ip)) : std::nullopt;
      return std::string(identity_.value(key));
    });
    if (!name || !is_clean_path(*name)) return;
    askings_.push_back({&device, question_of(device, time_)});
    askings_.back().question.name = *name;
  }

  const RuleSet& rules_;
  std::chrono::system_clock::time_point time_;
  Identity identity_;
  std::vector<Asking> askings_;
  config::Problems problems_;
};

}  // namespace

config::Checked<std::vector<Asking>> askings_of(const RuleSet& rules, const Inventory& inventory,
                                                const std::vector<std::string>& names,
                                                std::chrono::system_clock::time_point time) {
  Fleet fleet(rules, time);
  for (const Device& device : inventory.devices())
    fleet.ask(device, names);
  return fleet.take();
}

}  // namespace tftpkit::firmware
