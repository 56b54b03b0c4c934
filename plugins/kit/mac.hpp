// MAC addresses and their vendor prefixes, in every spelling that clients and people use. Values only.
#pragma once

#include "kit/hex.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::kit {

struct Mac {
  std::array<std::uint8_t, 6> bytes{};
  friend auto operator<=>(const Mac&, const Mac&) = default;
};

// "52:54:00:ab:cd:01", "52-54-00-AB-CD-01", "525400abcd01", "5254.00ab.cd01": one kind of separator, digits
// in any case.
[[nodiscard]] std::optional<Mac> mac_from(std::string_view text);

// "52:54:00:ab:cd:01"; separator 0: "525400abcd01".
[[nodiscard]] std::string mac_text(const Mac& mac, char separator = ':', Case letters = Case::lower);

// The first digits of MAC addresses: a vendor (OUI, 6 digits; MA-M, 7; MA-S, 9) or anything shorter or
// longer.
struct MacPrefix {
  Mac first;               // the digits beyond the prefix are zero
  std::size_t digits = 0;  // 1 to 12
  [[nodiscard]] bool holds(const Mac& mac) const noexcept;
  friend bool operator==(const MacPrefix&, const MacPrefix&) = default;
};

// "64:16:7f", "64167F", "70-b3-d5-12-3" and whole addresses.
[[nodiscard]] std::optional<MacPrefix> mac_prefix_from(std::string_view text);

}  // namespace tftpkit::kit

template <>
struct std::hash<tftpkit::kit::Mac> {
  std::size_t operator()(const tftpkit::kit::Mac& mac) const noexcept {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : mac.bytes)
      number = number << 8U | byte;
    return std::hash<std::uint64_t>()(number);
  }
};
