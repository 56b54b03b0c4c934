#include "observe/escape.hpp"

#include <cstdint>

namespace tftpkit::observe {
namespace {

struct Character {
  char32_t value = 0;
  std::size_t length = 0;  // 0: not well-formed
};

// RFC 3629, section 4: the second byte has narrower bounds after E0, ED, F0 and F4.
Character first_character(std::string_view text) noexcept {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return {};
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return {};
  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  return {value, length};
}

// Shown as they are these would move the cursor, break the line, or make one name look like another.
bool deceives(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

enum class Backslash : bool { stays, doubled };

void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += "\\x";
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

void append(std::string& out, std::string_view text, Backslash backslash) {
  while (!text.empty()) {
    const Character c = first_character(text);
    const std::size_t length = c.length == 0 ? 1 : c.length;
    if (c.length == 0 || deceives(c.value)) {
      append_hex(out, text.substr(0, length));
    } else if (c.value == U'\\' && backslash == Backslash::doubled) {
      out += "\\\\";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
}

}  // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  return first_character(text).length;
}

void append_escaped(std::string& out, std::string_view text) {
  append(out, text, Backslash::doubled);
}

std::string escaped_prose(std::string_view text) {
  std::string out;
  append(out, text, Backslash::stays);
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text);
  return out;
}

std::string escaped(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return escaped(text);
  std::size_t end = 0;
  while (end < limit) {
    const std::size_t length = utf8_length(text.substr(end));
    if (end + (length == 0 ? 1 : length) > limit) break;
    end += length == 0 ? 1 : length;
  }
  return escaped(text.substr(0, end)) + "...";
}

}  // namespace tftpkit::observe
