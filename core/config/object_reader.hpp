// Reads the members of one JSON object into C++ values: each reading names the key, its bounds and where the
// value goes. What is absent leaves its default; what is wrong is reported and leaves its default too.
#pragma once

#include "config/json.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::config {

template <class Value>
struct Bounds {
  Value low;
  Value high;
};

class ObjectReader {
 public:
  // Reports when `object` is none; then every reading finds nothing.
  ObjectReader(const Json& object, std::string pointer, Report& report);

  // nullptr: absent. The pointer of a member, present or not.
  [[nodiscard]] const Json* member(const std::string& key);
  [[nodiscard]] std::string pointer_of(std::string_view key) const { return below(pointer_, key); }
  [[nodiscard]] Report& report() noexcept { return report_; }

  void flag(const std::string& key, bool& value);
  void text(const std::string& key, std::string& value);
  void size(const std::string& key, std::uint64_t& bytes, Bounds<std::uint64_t> bounds);
  void duration(const std::string& key, std::chrono::milliseconds& value,
                Bounds<std::chrono::milliseconds> bounds);
  template <std::unsigned_integral Number>
  void number(const std::string& key, Number& value, Bounds<Number> bounds) {
    if (const auto read = whole_number(key, bounds.low, bounds.high)) value = static_cast<Number>(*read);
  }
  // The value is one of some words; `values` in the order of `words`.
  template <class Value>
  void word(const std::string& key, Value& value, std::span<const std::pair<std::string, Value>> words) {
    std::vector<std::string> names;
    for (const auto& [name, meaning] : words)
      names.push_back(name);
    if (const auto at = word_index(key, names)) value = words[*at].second;
  }

  // Calls `each` for every element that is a string, with its pointer. One string counts as a list of one.
  using EachText = std::function<void(const std::string& text, const std::string& pointer)>;
  void texts(const std::string& key, const EachText& each);
  // Calls `each` for every element of an array.
  using Each = std::function<void(const Json& value, const std::string& pointer)>;
  void array(const std::string& key, const Each& each);

  // Says "is missing" when absent.
  bool require(const std::string& key, std::string example);
  // Reports the members that nobody has asked for, each with the nearest that somebody has.
  void finish();

 private:
  std::optional<std::uint64_t> whole_number(const std::string& key, std::uint64_t low, std::uint64_t high);
  std::optional<std::size_t> word_index(const std::string& key, std::span<const std::string> names);
  void expected(const std::string& key, const Json& value, std::string_view what, std::string hint);

  const Json& object_;
  std::string pointer_;
  Report& report_;
  std::vector<std::string> known_;
};

}  // namespace tftpkit::config
