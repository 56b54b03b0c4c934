// Lines and fields of lease files. Private to the readers of leases.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tftpkit::kit {

// Calls each(line, number) for every line that has its newline; a last one without is still being written.
template <class Each>
void for_each_line(std::string_view text, Each each) {
  std::size_t number = 1;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; ++number) {
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line, number);
    text.remove_prefix(end + 1);
  }
}

// Empty fields count.
[[nodiscard]] inline std::vector<std::string_view> fields_of(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  for (std::size_t end = 0; (end = line.find(separator)) != std::string_view::npos;) {
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end + 1);
  }
  fields.push_back(line);
  return fields;
}

[[nodiscard]] inline std::optional<std::int64_t> whole_number(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace tftpkit::kit
