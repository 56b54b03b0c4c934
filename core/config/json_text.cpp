#include "config/json_text.hpp"

#include "config/json.hpp"
#include "config/nearest.hpp"
#include "observe/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace tftpkit::config {
namespace {

Json json_of(const JsonValue& value) {
  struct Making {
    Json operator()(std::monostate /*unused*/) const { return nullptr; }
    Json operator()(const RawJson& raw) const { return Json::parse(raw.text, nullptr, false, true); }
    Json operator()(double number) const { return std::isfinite(number) ? Json(number) : Json(nullptr); }
    Json operator()(bool yes) const { return yes; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(std::uint64_t number) const { return number; }
    Json operator()(const std::string& text) const { return text; }
  };
  Json made = std::visit(Making{}, value);
  return made.is_discarded() ? Json(nullptr) : made;
}

Json json_of(const JsonRow& row) {
  Json object = Json::object();
  for (const auto& [key, value] : row)
    object[key] = json_of(value);
  return object;
}

// What a terminal would obey or be deceived by, as JSON's own escapes: controls beyond ASCII's, and
// characters that reorder or hide text. All of them are in the range of one \\uXXXX.
std::string for_terminals(std::string_view json) {
  std::string out;
  while (!json.empty()) {
    const std::size_t length = std::max<std::size_t>(observe::utf8_length(json), 1);
    const std::string_view character = json.substr(0, length);
    json.remove_prefix(length);
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
    if (byte(0) < 0x7f || !observe::escaped(character).starts_with("\\x")) {
      out += character;
      continue;
    }
    const unsigned code = length == 1 ? byte(0)
                          : length == 2
                              ? (byte(0) & 0x1fU) << 6U | (byte(1) & 0x3fU)
                              : (byte(0) & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU);
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
  }
  return out;
}

JsonValue value_of(const Json& value) {
  if (value.is_null()) return std::monostate{};
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  return RawJson{dumped(value)};
}

Problems one_problem(std::string pointer, Complaint complaint) {
  Report report("");
  report.add(std::move(pointer), std::move(complaint));
  return report.take();
}

std::vector<std::string> steps_of(std::string_view pointer) {
  std::vector<std::string> steps(1);
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      steps.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size() &&
               (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      steps.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      steps.back() += pointer[i];
    }
  }
  return steps;
}

// The element that `step` names, made when it is one past the end; nullptr: no such element.
Json* element_of(Json& array, const std::string& step) {
  const bool digits =
      !step.empty() && step.size() < 7 && step.find_first_not_of("0123456789") == std::string::npos;
  const std::size_t index = step == "-" ? array.size() : digits ? std::stoul(step) : array.size() + 1;
  if (index > array.size()) return nullptr;
  if (index == array.size()) array.push_back(nullptr);
  return &array[index];
}

Json value_from(std::string_view text) {
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  return value.is_discarded() ? Json(std::string(text)) : value;
}

}  // namespace

std::string json_object(const JsonRow& row, int indent) {
  return for_terminals(dumped(json_of(row), indent));
}

std::string json_array(std::span<const JsonRow> rows, int indent) {
  Json array = Json::array();
  for (const JsonRow& row : rows)
    array.push_back(json_of(row));
  return for_terminals(dumped(array, indent));
}

std::optional<JsonRow> json_row(std::string_view text) {
  const Json object = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!object.is_object()) return std::nullopt;
  JsonRow row;
  for (const auto& [key, value] : object.items())
    row.emplace_back(key, value_of(value));
  return row;
}

Checked<std::string> set_value(std::string_view object, std::string_view pointer, std::string_view value) {
  Report report("");
  auto document = parse(object, "", report);
  if (!document) return report.take();
  if (pointer.starts_with('/')) pointer.remove_prefix(1);
  if (pointer.empty()) {
    return one_problem(
        "", {"the name of the setting is missing", "write for example root=/srv/tftp or retry/tries=3"});
  }
  Json* place = &*document;
  std::string so_far;
  for (const std::string& step : steps_of(pointer)) {
    if (place->is_null()) *place = Json::object();
    if (place->is_array()) {
      const std::size_t size = place->size();
      place = element_of(*place, step);
      if (place == nullptr) {
        return one_problem(below(so_far, step),
                           {"there is no such element", "the array has " + std::to_string(size)});
      }
    } else if (place->is_object()) {
      place = &(*place)[step];
    } else {
      return one_problem(so_far, {shown(*place) + " has nothing below it", ""});
    }
    so_far = below(so_far, step);
  }
  *place = value_from(value);
  return dumped(*document);
}

Checked<std::string> settings_object(std::string_view json) {
  Report report("");
  const auto document = parse(json, "", report);
  if (!document) return report.take();
  if (document->is_object()) return dumped(*document);
  return one_problem(
      "", {"expected an object, not " + shown(*document), "write for example {\"root\": \"/srv/tftp\"}"});
}

}  // namespace tftpkit::config
