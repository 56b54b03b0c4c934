// The settings of one instance, already checked, defaulted and normalised.
// Filled in by room config, read by the host table; knows neither JSON nor schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tftpkit::host {

// Keys are JSON pointers: "" is the whole object, "/rules/0/match" one of its values.
struct Settings {
  std::string json = "{}";                                // the whole normalised object
  std::map<std::string, std::string, std::less<>> texts;  // scalars as text, objects and arrays as JSON
  std::map<std::string, std::int64_t, std::less<>>
      integers;                                            // integers, 0/1, sizes in bytes, durations in ms
  std::map<std::string, std::size_t, std::less<>> counts;  // elements of arrays, members of objects

  // Each null or 0 when there is nothing of this kind at the pointer.
  [[nodiscard]] const std::string* text(std::string_view pointer) const {
    const auto found = texts.find(pointer);
    if (found != texts.end()) return &found->second;
    return pointer.empty() ? &json : nullptr;
  }
  [[nodiscard]] const std::int64_t* integer(std::string_view pointer) const {
    const auto found = integers.find(pointer);
    return found == integers.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t count(std::string_view pointer) const {
    const auto found = counts.find(pointer);
    return found == counts.end() ? 0 : found->second;
  }
};

}  // namespace tftpkit::host
