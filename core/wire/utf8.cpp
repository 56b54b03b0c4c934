// UTF-8 checking.
#include "wire/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace tftpkit::wire {
namespace {

struct Lead {
  std::size_t length;  // 0: not a lead byte
  std::uint32_t bits;
  std::uint32_t least;  // smaller values in this length are overlong
};

Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xc0 && byte < 0xe0) return {2, byte & 0x1fU, 0x80};
  if (byte >= 0xe0 && byte < 0xf0) return {3, byte & 0x0fU, 0x800};
  if (byte >= 0xf0 && byte < 0xf8) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

bool is_scalar(std::uint32_t value) noexcept {
  return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

bool is_control(std::uint32_t value) noexcept {
  return value < 0x20 || (value >= 0x7f && value < 0xa0);
}

}  // namespace

TextFlaw check_text(std::string_view text) noexcept {
  bool control = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.length == 0 || lead.length > text.size() - at) return TextFlaw::not_utf8;
    auto value = lead.bits;
    for (std::size_t i = 1; i < lead.length; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xc0U) != 0x80U) return TextFlaw::not_utf8;
      value = value << 6U | (next & 0x3fU);
    }
    if (value < lead.least || !is_scalar(value)) return TextFlaw::not_utf8;
    control = control || is_control(value);
    at += lead.length;
  }
  return control ? TextFlaw::control : TextFlaw::none;
}

}  // namespace tftpkit::wire
