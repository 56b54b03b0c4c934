// What a rule asks of a request: every condition that is given has to hold. Values, made by reading the rules
// file.
#pragma once

#include "config/glob.hpp"
#include "firmware/question.hpp"
#include "firmware/rollout.hpp"
#include "firmware/version.hpp"
#include "kit/regex.hpp"

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::firmware {

// A regular expression on the whole clean name whose groups have names.
class NameExpression {
 public:
  static constexpr std::size_t group_limit = 12;
  // A longer name fits no expression: time and memory stay bounded whatever a client sends.
  static constexpr std::size_t longest_name = 512;

  NameExpression(kit::Regex regex, std::vector<std::string> captures)
      : regex_(std::make_shared<const kit::Regex>(std::move(regex))), captures_(std::move(captures)) {}

  // Puts what the groups caught into `captured`. False when the name does not fit.
  [[nodiscard]] bool fits(const std::string& name, Values& captured) const;
  // "" for a group without a name.
  [[nodiscard]] const std::vector<std::string>& captures() const noexcept { return captures_; }

 private:
  std::shared_ptr<const kit::Regex> regex_;  // shared so that rules can be copied
  std::vector<std::string> captures_;
};

struct Extractor {
  std::string id;
  NameExpression expression;
};

struct AddressRange {
  kit::Ip first;
  kit::Ip last;
  [[nodiscard]] bool holds(const kit::Ip& ip) const noexcept {
    return ip.v6 == first.v6 && first <= ip && ip <= last;
  }
};

// Days and hours, and the first and last moment. A span over midnight belongs to the day on which it begins.
struct Window {
  std::bitset<7> days = std::bitset<7>().set();  // Sunday is 0
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};  // equal to `from`: the whole day
  bool utc = false;            // else the server's local time
  std::optional<std::chrono::system_clock::time_point> not_before;
  std::optional<std::chrono::system_clock::time_point> not_after;

  [[nodiscard]] bool holds(std::chrono::system_clock::time_point time) const;
};

struct FieldTest {
  std::string field;  // "vendor", "model", "group", "hostname", "serial", "uuid" or a capture
  std::vector<config::Glob> patterns;
};

// A MAC, a serial, a uuid or a hostname, as a list of devices names them.
class DeviceList {
 public:
  void add(std::string_view text);
  [[nodiscard]] bool holds(const Identity& identity) const;
  [[nodiscard]] bool empty() const noexcept { return names_.empty(); }

 private:
  std::vector<std::string> names_;  // sorted; lower case; MACs with colons
};

struct Conditions {
  std::vector<config::Glob> names;
  std::optional<NameExpression> expression;
  std::vector<std::size_t> extractors;  // by index; one of them

  std::vector<kit::MacPrefix> macs;
  std::vector<AddressRange> addresses;
  std::optional<bool> known;
  std::vector<FieldTest> fields;
  std::vector<VersionTest> versions;
  std::optional<bool> version_known;
  std::vector<FieldTest> options;
  std::vector<Window> windows;
  std::optional<Share> share;
  DeviceList devices;

  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] bool about_name() const noexcept {
    return !names.empty() || expression || !extractors.empty();
  }
};

// The key of the first condition that does not hold; empty: all hold. Those about the name are not looked at.
[[nodiscard]] std::string_view unfulfilled(const Conditions& conditions, const Identity& identity,
                                           const Question& question);

}  // namespace tftpkit::firmware
