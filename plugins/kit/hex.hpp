// Hexadecimal digits, in either case.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::kit {

enum class Case { lower, upper };

// 0 to 15, or -1 for anything that is no hexadecimal digit.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Is it all digits, and at least one?
[[nodiscard]] bool is_hex(std::string_view text) noexcept;

// Two digits for each byte, `separator` between the bytes when it is not 0.
[[nodiscard]] std::string hex_text(std::span<const std::uint8_t> bytes, Case letters, char separator = 0);

// A to Z become a to z; everything else stays.
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace tftpkit::kit
