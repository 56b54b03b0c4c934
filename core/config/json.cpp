#include "config/json.hpp"

#include "config/nearest.hpp"
#include "config/place.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace tftpkit::config {
namespace {

constexpr std::size_t deepest = 64;  // what is built from it later walks it recursively

// Reads without building anything, because the library silently keeps the last of two equal keys.
class Inspection : public nlohmann::json_sax<Json> {
 public:
  Inspection(std::string_view text, std::string pointer, Report& report)
      : text_(text), pointer_(std::move(pointer)), report_(report) {}

  bool null() override { return value(); }
  bool boolean(bool /*unused*/) override { return value(); }
  bool number_integer(std::int64_t /*unused*/) override { return value(); }
  bool number_unsigned(std::uint64_t /*unused*/) override { return value(); }
  bool number_float(double /*unused*/, const std::string& /*unused*/) override { return value(); }
  bool string(std::string& /*unused*/) override { return value(); }
  bool binary(binary_t& /*unused*/) override { return value(); }
  bool start_object(std::size_t /*unused*/) override { return open(); }
  bool start_array(std::size_t /*unused*/) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    Level& level = levels_.back();
    if (!level.names.insert(name).second) {
      report_.add(below(here(levels_.size() - 1), name), {"the key is there twice", "remove one of the two"});
    }
    level.name = name;
    level.named = true;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    const std::size_t offset = position > 0 ? position - 1 : 0;
    if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      report_.add(pointer_, {"there is no JSON in it", "{} is the shortest that is right"});
      return false;
    }
    std::string what = error.what();
    if (const auto at = what.find(": "); at != std::string::npos) what = what.substr(at + 2);
    // What was read last may be a secret.
    if (const auto at = what.find("; last read: "); at != std::string::npos) {
      const auto end = what.rfind('\'');
      what.erase(at, end == std::string::npos || end < at ? std::string::npos : end + 1 - at);
    }
    const bool comma = token.ends_with('}') || token.ends_with(']');
    report_.add(place_in(text_, offset), {"this is not JSON: " + observe::escaped(what, 300),
                                          comma ? "is there a comma too many before it?" : ""});
    return false;
  }

 private:
  struct Level {
    std::set<std::string> names{};
    std::string name{};
    std::size_t index = 0;
    bool named = false;
  };

  std::string here(std::size_t depth) const {
    std::string pointer = pointer_;
    for (std::size_t i = 0; i < depth; ++i) {
      pointer = levels_[i].named ? below(pointer, levels_[i].name) : below(pointer, levels_[i].index);
    }
    return pointer;
  }

  bool value() {
    if (!levels_.empty()) ++levels_.back().index;
    return true;
  }

  bool open() {
    if (levels_.size() == deepest) {
      report_.add(here(levels_.size()), {"more than 64 levels of JSON", ""});
      return false;
    }
    levels_.emplace_back();
    return true;
  }

  bool close() {
    levels_.pop_back();
    return value();
  }

  std::string_view text_;
  std::string pointer_;
  Report& report_;
  std::vector<Level> levels_;
};

}  // namespace

std::optional<Json> parse(std::string_view text, const std::string& pointer, Report& report) {
  const std::size_t before = report.size();
  Inspection inspection(text, pointer, report);
  constexpr bool strict = true, comments = true;
  const bool read = Json::sax_parse(text.begin(), text.end(), &inspection,
                                    nlohmann::detail::input_format_t::json, strict, comments);
  if (!read || report.size() != before) return std::nullopt;
  return Json::parse(text.begin(), text.end(), nullptr, true, comments);
}

std::string_view kind_of(const Json& value) noexcept {
  switch (value.type()) {
  case Json::value_t::null: return "null";
  case Json::value_t::boolean: return "true or false";
  case Json::value_t::number_integer:
  case Json::value_t::number_unsigned: return "a whole number";
  case Json::value_t::number_float: return "a number with a fraction";
  case Json::value_t::string: return "a string";
  case Json::value_t::array: return "an array";
  case Json::value_t::object: return "an object";
  case Json::value_t::binary:
  case Json::value_t::discarded: break;
  }
  return "no JSON value";
}

std::string shown(const Json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  if (value.is_structured()) return std::string(kind_of(value));
  return dumped(value);
}

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tftpkit::config
