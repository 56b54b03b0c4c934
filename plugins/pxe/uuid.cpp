#include "uuid.hpp"

#include "kit/hex.hpp"

#include <algorithm>

namespace tftpkit::pxe {
namespace {

constexpr std::size_t text_size = 36;

constexpr bool is_dash_place(std::size_t i) noexcept {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

}  // namespace

std::optional<Uuid> uuid_from(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  Uuid uuid;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = kit::hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint8_t& byte = uuid.bytes[digits++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | value);
  }
  return uuid;
}

std::string uuid_text(const Uuid& uuid) {
  std::string text = kit::hex_text(uuid.bytes, kit::Case::lower);
  for (std::size_t i = 0; i < text_size; ++i)
    if (is_dash_place(i)) text.insert(i, 1, '-');
  return text;
}

Uuid other_order(const Uuid& uuid) noexcept {
  Uuid other = uuid;
  std::reverse(other.bytes.begin(), other.bytes.begin() + 4);
  std::swap(other.bytes[4], other.bytes[5]);
  std::swap(other.bytes[6], other.bytes[7]);
  return other;
}

}  // namespace tftpkit::pxe
