#include "config/network_text.hpp"

#include "config/nearest.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace tftpkit::config {
namespace {

constexpr std::string_view listen_example =
    "write an address such as \"192.0.2.1:69\", \"[2001:db8::1]:69\" or \":69\"";
constexpr std::string_view network_example =
    "write a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", or an address";

struct Ip {
  int family = AF_UNSPEC;
  std::array<std::uint8_t, 16> bytes{};
  [[nodiscard]] unsigned bits() const noexcept { return family == AF_INET ? 32 : 128; }
};

std::optional<Ip> ip_from(std::string_view text) {
  const std::string terminated(text);  // inet_pton(3) wants a NUL
  for (const int family : {AF_INET, AF_INET6}) {
    Ip ip{family, {}};
    if (terminated.find('\0') == std::string::npos &&
        ::inet_pton(family, terminated.c_str(), ip.bytes.data()) == 1)
      return ip;
  }
  return std::nullopt;
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_ip(std::string_view text, int family) {
  const std::size_t zone = text.find('%');
  if (zone != std::string_view::npos) {
    const std::string_view interface = text.substr(zone + 1);
    if (family != AF_INET6 || interface.empty() || interface.find(':') != std::string_view::npos)
      return false;
    text = text.substr(0, zone);
  }
  const auto ip = ip_from(text);
  return ip && ip->family == family;
}

Complaint no_address(std::string_view text, std::string_view address) {
  return {in_quotes(address) + " is not an IP address" +
              (text == address ? "" : " (in " + in_quotes(text) + ")"),
          std::string(listen_example)};
}

std::optional<Complaint> port_complaint(std::string_view text, std::string_view port) {
  if (number_from<std::uint16_t>(port)) return std::nullopt;
  return Complaint{in_quotes(port) + " is not a port (in " + in_quotes(text) + ")",
                   "write a number from 0 to 65535"};
}

std::string address_text(const Ip& ip) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  ::inet_ntop(ip.family, ip.bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Ip masked(Ip ip, unsigned prefix_bits) {
  for (unsigned bit = prefix_bits; bit < ip.bits(); ++bit) {
    ip.bytes[bit / 8] = static_cast<std::uint8_t>(ip.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  return ip;
}

}  // namespace

std::optional<Complaint> listen_complaint(std::string_view text) {
  if (text == "*") return std::nullopt;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    const std::string_view address = text.substr(1, end == std::string_view::npos ? end : end - 1);
    if (end == std::string_view::npos || !is_ip(address, AF_INET6)) return no_address(text, address);
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return std::nullopt;
    if (rest[0] != ':')
      return Complaint{in_quotes(text) + " has something behind the ']'", std::string(listen_example)};
    return port_complaint(text, rest.substr(1));
  }
  if (is_ip(text, AF_INET6)) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  const std::string_view address = text.substr(0, colon);
  const bool all = colon != std::string_view::npos && (address.empty() || address == "*");
  if (!all && is_ip(address, AF_INET6)) {
    return Complaint{in_quotes(text) + " is not an IPv6 address with a port",
                     "did you mean \"[" + std::string(address) + "]" + std::string(text.substr(colon)) +
                         "\"?"};
  }
  if (!all && !is_ip(address, AF_INET)) return no_address(text, address);
  return colon == std::string_view::npos ? std::nullopt : port_complaint(text, text.substr(colon + 1));
}

std::optional<Complaint> network_complaint(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = ip_from(text.substr(0, slash));
  if (!ip) return Complaint{in_quotes(text) + " is not a network", std::string(network_example)};
  if (slash == std::string_view::npos) return std::nullopt;
  const auto prefix_bits = number_from<unsigned>(text.substr(slash + 1));
  if (!prefix_bits || *prefix_bits > ip->bits()) {
    return Complaint{in_quotes(text) + " has a wrong prefix length",
                     "write a number from 0 to " + std::to_string(ip->bits()) + " behind the slash"};
  }
  const Ip network = masked(*ip, *prefix_bits);
  if (network.bytes == ip->bytes) return std::nullopt;
  return Complaint{in_quotes(text) + " has bits set beyond its prefix",
                   "did you mean \"" + address_text(network) + "/" + std::to_string(*prefix_bits) + "\"?"};
}

}  // namespace tftpkit::config
