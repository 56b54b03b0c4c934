#include "kit/mac.hpp"

namespace tftpkit::kit {
namespace {

constexpr std::size_t all_digits = 12;

// How many digits stand between two separators.
std::size_t group_of(char separator) noexcept {
  return separator == '.' ? 4 : 2;
}

char separator_in(std::string_view text) noexcept {
  const std::size_t at = text.find_first_of("-:.");
  return at == std::string_view::npos ? '\0' : text[at];
}

// The digits alone; nullopt when something else is there or a separator stands in the wrong place.
std::optional<std::string> digits_of(std::string_view text) {
  const char separator = separator_in(text);
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool owed = separator != 0 && i % (group_of(separator) + 1) == group_of(separator);
    if (owed != (separator != 0 && text[i] == separator)) return std::nullopt;
    if (owed) continue;
    if (hex_value(text[i]) < 0) return std::nullopt;
    digits += text[i];
  }
  if (separator != 0 && !text.empty() && text.back() == separator) return std::nullopt;
  return digits;
}

Mac mac_of_digits(std::string_view digits) noexcept {
  Mac mac;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto value = static_cast<unsigned>(hex_value(digits[i]));
    std::uint8_t& byte = mac.bytes[i / 2];
    byte = static_cast<std::uint8_t>(i % 2 == 0 ? value << 4U : byte | value);
  }
  return mac;
}

}  // namespace

std::optional<Mac> mac_from(std::string_view text) {
  const auto digits = digits_of(text);
  if (!digits || digits->size() != all_digits) return std::nullopt;
  return mac_of_digits(*digits);
}

std::string mac_text(const Mac& mac, char separator, Case letters) {
  return hex_text(mac.bytes, letters, separator);
}

bool MacPrefix::holds(const Mac& mac) const noexcept {
  for (std::size_t i = 0; i < digits; ++i) {
    const unsigned shift = i % 2 == 0 ? 4 : 0;
    if (((mac.bytes[i / 2] ^ first.bytes[i / 2]) >> shift & 15U) != 0) return false;
  }
  return true;
}

std::optional<MacPrefix> mac_prefix_from(std::string_view text) {
  const auto digits = digits_of(text);
  if (!digits || digits->empty() || digits->size() > all_digits) return std::nullopt;
  return MacPrefix{mac_of_digits(*digits), digits->size()};
}

}  // namespace tftpkit::kit
