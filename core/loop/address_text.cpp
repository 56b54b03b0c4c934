// The way from text to addresses and networks, and the errors that explain what would be right.
#include "loop/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <net/if.h>

namespace tftpkit::loop {
namespace {

constexpr std::string_view right_address = "write 10.0.0.1, 10.0.0.1:69, ::1 or [::1]:69";

template <class Number>
std::optional<Number> number(std::string_view text, Number highest) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > highest)
    return std::nullopt;
  return value;
}

std::optional<Address> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> ip{};
  if (inet_pton(AF_INET, std::string{text}.c_str(), ip.data()) != 1) return std::nullopt;
  return Address::v4(ip, 0);
}

std::optional<std::uint32_t> parse_scope(std::string_view text) {
  if (const auto index = number<std::uint32_t>(text, 0xffffffff)) return index;
  const unsigned index = if_nametoindex(std::string{text}.c_str());
  return index == 0 ? std::nullopt : std::optional<std::uint32_t>{index};
}

std::optional<Address> parse_v6(std::string_view text, std::string& error) {
  const auto percent = text.find('%');
  std::array<std::uint8_t, 16> ip{};
  if (inet_pton(AF_INET6, std::string{text.substr(0, percent)}.c_str(), ip.data()) != 1) return std::nullopt;
  if (percent == std::string_view::npos) return Address::v6(ip, 0);
  const auto scope = parse_scope(text.substr(percent + 1));
  if (!scope) {
    error = fmt::format("\"{}\": there is no network interface \"{}\" here; `ip link` lists them", text,
                        text.substr(percent + 1));
    return std::nullopt;
  }
  return Address::v6(ip, 0, *scope);
}

struct Parts {
  std::string_view host, port;
  bool has_port = false, bracketed = false;
};

std::optional<Parts> split(std::string_view text, std::string& error) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    const auto rest = close == std::string_view::npos ? std::string_view{} : text.substr(close + 1);
    if (close == std::string_view::npos || (!rest.empty() && rest.front() != ':')) {
      error = fmt::format("\"{}\": after [ comes an IPv6 address, ] and perhaps :port, as in [::1]:69", text);
      return std::nullopt;
    }
    return Parts{text.substr(1, close - 1), rest.substr(rest.empty() ? 0 : 1), !rest.empty(), true};
  }
  const auto colon = text.find(':');
  const bool bare_v6 = colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos;
  if (colon == std::string_view::npos || bare_v6) return Parts{text, {}, false, false};
  return Parts{text.substr(0, colon), text.substr(colon + 1), true, false};
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text, std::uint16_t default_port, std::string& error) {
  error.clear();
  const auto parts = split(text, error);
  if (!parts) return std::nullopt;
  auto port = std::optional{default_port};
  if (parts->has_port) port = number<std::uint16_t>(parts->port, 65535);
  if (!port) {
    error =
        fmt::format("\"{}\": \"{}\" is not a port; a port is a number from 0 to 65535", text, parts->port);
    return std::nullopt;
  }
  if (parts->host.empty() && parts->has_port && !parts->bracketed) return any(Family::v4, *port);
  auto address = parts->bracketed ? std::nullopt : parse_v4(parts->host);
  if (!address) address = parse_v6(parts->host, error);
  if (address) return address->with_port(*port);
  if (error.empty()) error = fmt::format("\"{}\" is not an IP address: {}", text, right_address);
  return std::nullopt;
}

std::vector<Address> parse_listen(std::string_view text, std::uint16_t default_port, std::string& error) {
  const bool everywhere = text.starts_with(':') && !text.starts_with("::");
  const bool star = text == "*" || text.starts_with("*:");
  const auto address =
      Address::parse(star ? (text == "*" ? "0.0.0.0" : text.substr(1)) : text, default_port, error);
  if (!address) return {};
  if (everywhere || star) return {*address, Address::any(Family::v6, address->port())};
  return {*address};
}

namespace {

// The address with every bit behind the prefix cleared.
Address cut(const Address& address, unsigned bits) {
  std::array<std::uint8_t, 16> ip{};
  std::copy(address.ip().begin(), address.ip().end(), ip.begin());
  for (unsigned bit = bits; bit < address.ip().size() * 8; ++bit)
    ip[bit / 8] = static_cast<std::uint8_t>(ip[bit / 8] & ~(0x80U >> (bit % 8)));
  return address.is_v4() ? Address::v4({ip[0], ip[1], ip[2], ip[3]}, 0) : Address::v6(ip, 0);
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text, std::string& error) {
  error.clear();
  const auto slash = text.find('/');
  const auto host = text.substr(0, slash);
  auto address = parse_v4(host);
  const bool written_as_v4 = address.has_value();
  if (!address) address = parse_v6(host, error);
  if (!address || address->scope() != 0) {
    if (error.empty())
      error = fmt::format("\"{}\" is not a network: write 10.0.0.0/8, 10.0.0.1 or fd00::/8", text);
    return std::nullopt;
  }
  const unsigned widest = written_as_v4 ? 32 : 128;
  auto bits = std::optional{widest};
  if (slash != std::string_view::npos) bits = number(text.substr(slash + 1), widest);
  // ::ffff:10.0.0.0/104 speaks of 128 bits; its first 96 are the mapped prefix.
  const bool mapped = address->is_v4() && !written_as_v4;
  if (!bits || (mapped && *bits < 96)) {
    error = fmt::format("\"{}\": after the / comes a number from {} to {}", text, mapped ? 96 : 0, widest);
    return std::nullopt;
  }
  Network network;
  network.prefix_bits_ = mapped ? *bits - 96 : *bits;
  network.base_ = cut(*address, network.prefix_bits_);
  if (network.base_ != *address) {
    error = fmt::format("\"{}\" has bits set behind its prefix: did you mean {}?", text, network.to_string());
    return std::nullopt;
  }
  return network;
}

bool Network::contains(const Address& address) const noexcept {
  if (address.family() != base_.family() || base_.family() == Family::none) return false;
  const auto ours = base_.ip(), theirs = address.ip();
  const std::size_t whole = prefix_bits_ / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin()))
    return false;
  const unsigned rest = prefix_bits_ % 8;
  return rest == 0 || ((ours[whole] ^ theirs[whole]) & (0xff00U >> rest) & 0xffU) == 0;
}

std::string Network::to_string() const {
  return fmt::format("{}/{}", base_.ip_string(), prefix_bits_);
}

}  // namespace tftpkit::loop
