#include "firmware/read_conditions.hpp"

#include "config/nearest.hpp"
#include "config/network_text.hpp"
#include "firmware/read_time.hpp"
#include "kit/hex.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace tftpkit::firmware {
namespace {

using config::in_quotes;
using config::Report;

std::optional<config::Glob> glob_from(const std::string& text, const std::string& pointer, Report& report) {
  try {
    return config::Glob(text);
  } catch (const std::invalid_argument& error) {
    report.add(pointer,
               {in_quotes(text) + " is not a pattern: " + error.what(), "write for example WS-C2960X*"});
    return std::nullopt;
  }
}

std::optional<kit::Regex> regex_from(const std::string& text, bool ignore_case, const std::string& pointer,
                                     Report& report) {
  if (const auto complaint = kit::regex_complaint(text)) {
    report.add(pointer, {complaint->what, complaint->hint});
    return std::nullopt;
  }
  try {
    return kit::Regex(text, ignore_case);
  } catch (const std::invalid_argument& error) {
    report.add(pointer, {in_quotes(text) + " is not a POSIX extended regular expression: " + error.what(),
                         "try it with: echo NAME | grep -E '...'"});
    return std::nullopt;
  }
}

std::vector<std::string> read_captures(ObjectReader& reader) {
  std::vector<std::string> captures;
  reader.texts("captures", [&](const std::string& name, const std::string&) { captures.push_back(name); });
  return captures;
}

// An address, a network, or "first-last".
std::optional<AddressRange> range_from(const std::string& text) {
  if (const std::size_t dash = text.find('-'); dash != std::string::npos) {
    const auto first = kit::ip_from(std::string_view(text).substr(0, dash));
    const auto last = kit::ip_from(std::string_view(text).substr(dash + 1));
    if (!first || !last || first->v6 != last->v6 || *last < *first) return std::nullopt;
    return AddressRange{*first, *last};
  }
  const auto network = kit::network_from(text);
  if (!network) return std::nullopt;
  AddressRange range{network->first, network->first};
  for (unsigned bit = network->prefix_bits; bit < range.last.bits(); ++bit)
    range.last.bytes[bit / 8] = static_cast<std::uint8_t>(range.last.bytes[bit / 8] | 0x80U >> bit % 8);
  return range;
}

void add_range(const std::string& text, const std::string& pointer, Report& report, Conditions& conditions) {
  if (const auto range = range_from(text)) {
    conditions.addresses.push_back(*range);
    return;
  }
  const bool meant_as_range = text.find('-') != std::string::npos;
  const auto complaint = meant_as_range ? std::nullopt : config::network_complaint(text);
  report.add(pointer, complaint.value_or(
                          config::Complaint{in_quotes(text) + " is no range of addresses",
                                            "write the lower one first, for example 10.0.0.5-10.0.0.99"}));
}

void read_versions(ObjectReader& reader, Conditions& conditions) {
  reader.texts("version", [&](const std::string& text, const std::string& pointer) {
    if (text == "known" || text == "unknown") {
      conditions.version_known = text == "known";
    } else if (auto test = VersionTest::from(text)) {
      conditions.versions.push_back(std::move(*test));
    } else {
      reader.report().add(pointer,
                          {in_quotes(text) + " compares nothing",
                           "write for example \"<15.2(7)E8\", \">=9.3.12\", \"known\" or \"unknown\""});
    }
  });
}

void read_macs(ObjectReader& reader, Conditions& conditions) {
  reader.texts("mac", [&](const std::string& text, const std::string& pointer) {
    if (const auto prefix = kit::mac_prefix_from(text))
      conditions.macs.push_back(*prefix);
    else
      reader.report().add(pointer, {in_quotes(text) + " is neither a MAC address nor the beginning of one",
                                    "write for example 64:16:7f or 64:16:7f:00:11:22"});
  });
}

void read_extractors(ObjectReader& reader, const std::vector<Extractor>& extractors, Conditions& conditions) {
  reader.texts("extractor", [&](const std::string& id, const std::string& pointer) {
    const auto at = std::find_if(extractors.begin(), extractors.end(),
                                 [&](const Extractor& one) { return one.id == id; });
    if (at != extractors.end()) {
      conditions.extractors.push_back(static_cast<std::size_t>(at - extractors.begin()));
      return;
    }
    std::vector<std::string> ids;
    ids.reserve(extractors.size());
    for (const Extractor& one : extractors)
      ids.push_back(one.id);
    const std::string hint = config::name_hint(id, ids, "the extractors are");
    reader.report().add(pointer,
                        {"there is no extractor " + in_quotes(id),
                         hint.empty() ? "add it to /extractors, or include a rule set that has it" : hint});
  });
}

// {"name": "pattern", ...}
std::vector<FieldTest> read_tests(ObjectReader& reader, const std::string& key) {
  std::vector<FieldTest> tests;
  const Json* object = reader.member(key);
  if (object == nullptr) return tests;
  ObjectReader inside(*object, reader.pointer_of(key), reader.report());
  if (object->is_object())
    for (const auto& [name, ignored] : object->items())
      tests.push_back({name, read_globs(inside, name)});
  return tests;
}

void read_windows(ObjectReader& reader, Conditions& conditions) {
  const Json* time = reader.member("time");
  if (time == nullptr) return;
  if (!time->is_array()) {
    conditions.windows.push_back(read_window(*time, reader.pointer_of("time"), reader.report()));
    return;
  }
  reader.array("time", [&](const Json& one, const std::string& pointer) {
    conditions.windows.push_back(read_window(one, pointer, reader.report()));
  });
}

}  // namespace

std::vector<config::Glob> read_globs(ObjectReader& reader, const std::string& key) {
  std::vector<config::Glob> globs;
  reader.texts(key, [&](const std::string& text, const std::string& pointer) {
    if (auto glob = glob_from(text, pointer, reader.report())) globs.push_back(std::move(*glob));
  });
  return globs;
}

std::optional<NameExpression> read_expression(ObjectReader& reader, const std::string& key) {
  std::string text;
  bool ignore_case = false;
  reader.text(key, text);
  reader.flag("ignore_case", ignore_case);
  std::vector<std::string> captures = read_captures(reader);
  if (reader.member(key) == nullptr) {
    if (!captures.empty())
      reader.report().add(reader.pointer_of("captures"),
                          {"there is no expression whose groups these could be",
                           "add " + in_quotes(key) + ", or leave it out"});
    return std::nullopt;
  }
  auto regex = regex_from(text, ignore_case, reader.pointer_of(key), reader.report());
  if (!regex) return std::nullopt;
  if (captures.size() > std::min(regex->group_count(), NameExpression::group_limit)) {
    reader.report().add(
        reader.pointer_of("captures"),
        {std::to_string(captures.size()) + " names for " + std::to_string(regex->group_count()) + " groups",
         "name the groups in the order of their opening parentheses, \"\" for one that needs no name; at "
         "most " +
             std::to_string(NameExpression::group_limit)});
    return std::nullopt;
  }
  return NameExpression(std::move(*regex), std::move(captures));
}

Share read_share(ObjectReader& reader) {
  Share share;
  static const std::vector<std::pair<std::string, Key>> keys = {{"mac", Key::mac}, {"serial", Key::serial}};
  reader.text("salt", share.salt);
  reader.word("key", share.key, std::span(keys));
  const Json* percent = reader.member("percent");
  if (percent == nullptr) return share;
  const double number = percent->is_number() ? percent->get<double>() : -1;
  if (!(number >= 0 && number <= 100) || std::abs(number * 100 - std::round(number * 100)) > 1e-6) {
    reader.report().add(reader.pointer_of("percent"),
                        {config::shown(*percent) + " is no percentage",
                         "write a number from 0 to 100, with two decimals at most"});
    return share;
  }
  share.percent = number;
  if (number > 0 && number < 100) static_cast<void>(reader.require("salt", "\"salt\": \"phones-2026-11\""));
  return share;
}

std::vector<FieldTest> read_fields(ObjectReader& reader) {
  std::vector<FieldTest> fields;
  for (const char* name : {"vendor", "model", "group", "hostname", "serial"}) {
    const bool given = reader.member(name) != nullptr;
    if (auto globs = read_globs(reader, name); given) fields.push_back({name, std::move(globs)});
  }
  return fields;
}

Conditions read_conditions(const Json& object, const std::string& pointer,
                           const std::vector<Extractor>& extractors, Report& report) {
  ObjectReader reader(object, pointer, report);
  Conditions conditions;
  conditions.names = read_globs(reader, "name");
  conditions.expression = read_expression(reader, "regex");
  read_extractors(reader, extractors, conditions);
  read_macs(reader, conditions);
  reader.texts("address", [&](const std::string& text, const std::string& place) {
    add_range(text, place, report, conditions);
  });
  if (reader.member("known") != nullptr) {
    bool known = false;
    reader.flag("known", known);
    conditions.known = known;
  }
  conditions.fields = read_fields(reader);
  for (FieldTest& test : read_tests(reader, "values"))
    conditions.fields.push_back(std::move(test));
  read_versions(reader, conditions);
  conditions.options = read_tests(reader, "option");
  read_windows(reader, conditions);
  if (const Json* rollout = reader.member("rollout")) {
    ObjectReader inside(*rollout, reader.pointer_of("rollout"), report);
    static_cast<void>(inside.require("percent", "\"percent\": 10"));
    conditions.share = read_share(inside);
    inside.finish();
  }
  reader.texts("devices", [&](const std::string& text, const std::string&) { conditions.devices.add(text); });
  reader.finish();
  return conditions;
}

}  // namespace tftpkit::firmware
