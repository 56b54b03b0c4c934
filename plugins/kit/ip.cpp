#include "kit/ip.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace tftpkit::kit {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Ip from_v6_bytes(const std::uint8_t* bytes) noexcept {
  Ip ip;
  ip.v6 = std::memcmp(bytes, mapped_prefix.data(), mapped_prefix.size()) != 0;
  std::copy_n(ip.v6 ? bytes : bytes + mapped_prefix.size(), ip.v6 ? 16 : 4, ip.bytes.begin());
  return ip;
}

}  // namespace

std::optional<Ip> ip_from(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  Ip ip;
  if (::inet_pton(AF_INET, terminated.data(), ip.bytes.data()) == 1) return ip;
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  return from_v6_bytes(bytes.data());
}

std::optional<Ip> ip_of(const tftpkit_addr& address) noexcept {
  if (address.family == 6) return from_v6_bytes(address.bytes);
  if (address.family != 4) return std::nullopt;
  Ip ip;
  std::copy_n(address.bytes, 4, ip.bytes.begin());
  return ip;
}

std::string ip_text(const Ip& ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(ip.v6 ? AF_INET6 : AF_INET, ip.bytes.data(), text.data(), text.size());
  return text.data();
}

std::string ip_hex(const Ip& ip) {
  return hex_text(ip.used(), Case::upper);
}

bool Network::holds(const Ip& ip) const noexcept {
  return ip.v6 == first.v6 && network_of(ip, prefix_bits).first == first;
}

Network network_of(const Ip& ip, unsigned prefix_bits) noexcept {
  Network network{ip, std::min(prefix_bits, ip.bits())};
  for (unsigned byte = 0; byte < network.first.used().size(); ++byte) {
    const unsigned kept = network.prefix_bits <= byte * 8 ? 0 : std::min(network.prefix_bits - byte * 8, 8U);
    network.first.bytes[byte] = static_cast<std::uint8_t>(ip.bytes[byte] & (0xff00U >> kept));
  }
  return network;
}

std::optional<Network> network_from(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = ip_from(text.substr(0, slash));
  if (!ip) return std::nullopt;
  unsigned prefix_bits = ip->bits();
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), prefix_bits);
    if (error != std::errc() || end != number.data() + number.size() || prefix_bits > ip->bits())
      return std::nullopt;
  }
  const Network network = network_of(*ip, prefix_bits);
  if (network.first != *ip) return std::nullopt;
  return network;
}

std::string network_text(const Network& network) {
  return ip_text(network.first) + "/" + std::to_string(network.prefix_bits);
}

}  // namespace tftpkit::kit
