// The strings of a request or an OACK.
#include "wire/fields.hpp"

#include <algorithm>

namespace tftpkit::wire {

std::uint16_t read_u16(std::span<const std::byte> bytes) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8U |
                                    std::to_integer<unsigned>(bytes[1]));
}

Fields::Fields(std::span<const std::byte> bytes) noexcept
    : rest_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

std::optional<std::string_view> Fields::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  const auto end = rest_.find('\0');
  const auto field = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return field;
}

std::vector<Option> read_options(Fields& fields) {
  std::vector<Option> options;
  for (std::size_t seen = 0; seen < max_options; ++seen) {
    const auto name = fields.next();
    if (!name || name->empty()) break;  // padding starts here
    const auto value = fields.next();
    if (!value) break;
    const auto repeated = [&](const Option& option) { return same_name(option.name, *name); };
    if (std::ranges::none_of(options, repeated)) options.push_back({std::string(*name), std::string(*value)});
  }
  return options;
}

}  // namespace tftpkit::wire
