#include "firmware/conditions.hpp"

#include "kit/hex.hpp"

#include <algorithm>
#include <ctime>

namespace tftpkit::firmware {
namespace {

using std::chrono::minutes;
using std::chrono::system_clock;

struct Moment {
  std::size_t weekday;
  minutes since_midnight;
};

Moment moment_of(system_clock::time_point time, bool utc) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm parts{};
  if (utc)
    ::gmtime_r(&seconds, &parts);
  else
    ::localtime_r(&seconds, &parts);
  return {static_cast<std::size_t>(parts.tm_wday), minutes(parts.tm_hour * 60 + parts.tm_min)};
}

bool any_matches(const std::vector<config::Glob>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const config::Glob& glob) { return glob.matches(text); });
}

bool fields_hold(const std::vector<FieldTest>& fields, const Identity& identity, std::string_view& failed) {
  for (const FieldTest& test : fields) {
    const std::string_view value = identity.value(test.field);
    if (!value.empty() && any_matches(test.patterns, value)) continue;
    failed = test.field;
    return false;
  }
  return true;
}

bool options_hold(const std::vector<FieldTest>& options, const Question& question) {
  return std::all_of(options.begin(), options.end(), [&](const FieldTest& test) {
    return std::any_of(question.options.begin(), question.options.end(), [&](const auto& option) {
      return option.first == test.field && any_matches(test.patterns, option.second);
    });
  });
}

bool address_holds(const std::vector<AddressRange>& ranges, const Question& question) {
  return question.peer && std::any_of(ranges.begin(), ranges.end(),
                                      [&](const AddressRange& range) { return range.holds(*question.peer); });
}

bool mac_holds(const std::vector<kit::MacPrefix>& prefixes, const Identity& identity) {
  return identity.mac && std::any_of(prefixes.begin(), prefixes.end(), [&](const kit::MacPrefix& prefix) {
           return prefix.holds(*identity.mac);
         });
}

bool version_holds(const Conditions& conditions, const Identity& identity) {
  const std::string_view installed = identity.value("version");
  if (conditions.version_known && *conditions.version_known == installed.empty()) return false;
  if (conditions.versions.empty()) return true;
  return !installed.empty() && std::all_of(conditions.versions.begin(), conditions.versions.end(),
                                           [&](const VersionTest& test) { return test.holds(installed); });
}

}  // namespace

bool NameExpression::fits(const std::string& name, Values& captured) const {
  if (name.size() > longest_name) return false;
  std::array<regmatch_t, group_limit + 1> groups{};
  if (!regex_->finds(name, groups)) return false;
  for (std::size_t i = 0; i < captures_.size(); ++i) {
    std::string text = kit::group_text(name, groups[i + 1]);
    if (!captures_[i].empty() && !text.empty()) captured.emplace(captures_[i], std::move(text));
  }
  return true;
}

bool Window::holds(system_clock::time_point time) const {
  if ((not_before && time < *not_before) || (not_after && time > *not_after)) return false;
  const Moment now = moment_of(time, utc);
  const std::size_t yesterday = (now.weekday + 6) % 7;
  if (from == to) return days[now.weekday];
  if (from < to) return days[now.weekday] && from <= now.since_midnight && now.since_midnight < to;
  return (days[now.weekday] && now.since_midnight >= from) || (days[yesterday] && now.since_midnight < to);
}

void DeviceList::add(std::string_view text) {
  const auto mac = kit::mac_from(text);
  std::string name = mac ? kit::mac_text(*mac) : kit::lower_case(text);
  names_.insert(std::upper_bound(names_.begin(), names_.end(), name), std::move(name));
}

bool DeviceList::holds(const Identity& identity) const {
  const auto named = [&](const std::string& name) {
    return !name.empty() && std::binary_search(names_.begin(), names_.end(), name);
  };
  if (identity.mac && named(kit::mac_text(*identity.mac))) return true;
  return named(kit::lower_case(identity.value("serial"))) || named(kit::lower_case(identity.value("uuid"))) ||
         named(kit::lower_case(identity.value("hostname")));
}

bool Conditions::empty() const noexcept {
  return !about_name() && macs.empty() && addresses.empty() && !known && fields.empty() && versions.empty() &&
         !version_known && options.empty() && windows.empty() && !share && devices.empty();
}

std::string_view unfulfilled(const Conditions& conditions, const Identity& identity,
                             const Question& question) {
  std::string_view field;
  if (conditions.known && *conditions.known != (identity.device != nullptr)) return "known";
  if (!conditions.macs.empty() && !mac_holds(conditions.macs, identity)) return "mac";
  if (!conditions.addresses.empty() && !address_holds(conditions.addresses, question)) return "address";
  if (!fields_hold(conditions.fields, identity, field)) return field;
  if (!conditions.devices.empty() && !conditions.devices.holds(identity)) return "devices";
  if (!version_holds(conditions, identity)) return "version";
  if (!options_hold(conditions.options, question)) return "option";
  const auto open = [&](const Window& window) { return window.holds(question.time); };
  if (!conditions.windows.empty() && std::none_of(conditions.windows.begin(), conditions.windows.end(), open))
    return "time";
  if (conditions.share && !conditions.share->holds(identity)) return "percent";
  return {};
}

}  // namespace tftpkit::firmware
