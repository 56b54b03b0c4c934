// IP addresses and networks as values. An IPv4-mapped address counts as IPv4 everywhere.
#pragma once

#include "kit/hex.hpp"

#include <tftpkit/plugin.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::kit {

struct Ip {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // IPv4 in the first four, the rest zero

  [[nodiscard]] std::span<const std::uint8_t> used() const noexcept { return {bytes.data(), v6 ? 16U : 4U}; }
  [[nodiscard]] unsigned bits() const noexcept { return v6 ? 128 : 32; }
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 that it compares with for a pointer
  friend auto operator<=>(const Ip&, const Ip&) = default;
};

[[nodiscard]] std::optional<Ip> ip_from(std::string_view text);
// nullopt: a request without a network.
[[nodiscard]] std::optional<Ip> ip_of(const tftpkit_addr& address) noexcept;
// "10.0.0.5" or "2001:db8::5"
[[nodiscard]] std::string ip_text(const Ip& ip);
// "0A000005", or 32 digits
[[nodiscard]] std::string ip_hex(const Ip& ip);

struct Network {
  Ip first;  // the bits beyond the prefix are zero
  unsigned prefix_bits = 0;
  [[nodiscard]] bool holds(const Ip& ip) const noexcept;
  friend auto operator<=>(const Network&, const Network&) = default;
};

// The network of so many bits that holds the address.
[[nodiscard]] Network network_of(const Ip& ip, unsigned prefix_bits) noexcept;
// "10.0.0.0/8", or one address. Bits beyond the prefix must be zero; why it is none is said by
// config::network_complaint().
[[nodiscard]] std::optional<Network> network_from(std::string_view text);
[[nodiscard]] std::string network_text(const Network& network);

}  // namespace tftpkit::kit

template <>
struct std::hash<tftpkit::kit::Ip> {
  std::size_t operator()(const tftpkit::kit::Ip& ip) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(ip.bytes.data()), ip.v6 ? std::size_t{16} : std::size_t{4}});
  }
};
