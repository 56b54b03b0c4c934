#include "kit/hex.hpp"

#include <algorithm>

namespace tftpkit::kit {

bool is_hex(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

std::string hex_text(std::span<const std::uint8_t> bytes, Case letters, char separator) {
  const std::string_view digits = letters == Case::lower ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (separator != 0 && !text.empty()) text += separator;
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lower;
}

}  // namespace tftpkit::kit
