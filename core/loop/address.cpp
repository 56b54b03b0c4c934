#include "loop/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

namespace tftpkit::loop {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const std::array<std::uint8_t, 16>& ip) noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), ip.begin());
}

}  // namespace

Address Address::v4(std::array<std::uint8_t, 4> ip, std::uint16_t port) noexcept {
  Address result;
  result.family_ = Family::v4;
  result.port_ = port;
  std::copy(ip.begin(), ip.end(), result.ip_.begin());
  return result;
}

Address Address::v6(const std::array<std::uint8_t, 16>& ip, std::uint16_t port,
                    std::uint32_t scope) noexcept {
  if (is_mapped(ip)) return v4({ip[12], ip[13], ip[14], ip[15]}, port);
  Address result;
  result.family_ = Family::v6;
  result.port_ = port;
  result.scope_ = scope;
  result.ip_ = ip;
  return result;
}

Address Address::any(Family family, std::uint16_t port) noexcept {
  if (family == Family::none) return {};
  return family == Family::v4 ? v4({}, port) : v6({}, port);
}

Address Address::from_sockaddr(const sockaddr* address, socklen_t length) noexcept {
  if (address == nullptr || length < sizeof(sa_family_t)) return {};
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 4> ip{};
    std::memcpy(ip.data(), &in.sin_addr, ip.size());
    return v4(ip, ntohs(in.sin_port));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 16> ip{};
    std::memcpy(ip.data(), &in.sin6_addr, ip.size());
    return v6(ip, ntohs(in.sin6_port), in.sin6_scope_id);
  }
  return {};
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const noexcept {
  if (family_ == Family::v4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, ip_.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  if (family_ == Family::v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port_);
    in.sin6_scope_id = scope_;
    std::memcpy(&in.sin6_addr, ip_.data(), 16);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  out.ss_family = AF_UNSPEC;
  return 0;
}

std::span<const std::uint8_t> Address::ip() const noexcept {
  const std::size_t size = is_v4() ? 4 : is_v6() ? 16 : 0;
  return {ip_.data(), size};
}

bool Address::is_unspecified() const noexcept {
  return std::all_of(ip_.begin(), ip_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool Address::is_link_local() const noexcept {
  if (is_v4()) return ip_[0] == 169 && ip_[1] == 254;
  return is_v6() && ip_[0] == 0xfe && (ip_[1] & 0xc0U) == 0x80;
}

bool Address::is_multicast() const noexcept {
  if (is_v4()) return (ip_[0] & 0xf0U) == 0xe0;
  return is_v6() && ip_[0] == 0xff;
}

bool Address::is_loopback() const noexcept {
  if (is_v4()) return ip_[0] == 127;
  return is_v6() && ip_[15] == 1 &&
         std::all_of(ip_.begin(), ip_.end() - 1, [](auto byte) { return byte == 0; });
}

Address Address::with_port(std::uint16_t port) const noexcept {
  Address result = *this;
  result.port_ = port;
  return result;
}

Address Address::with_scope(std::uint32_t scope) const noexcept {
  Address result = *this;
  result.scope_ = scope;
  return result;
}

Address Address::network(unsigned bits) const noexcept {
  Address result = with_port(0);
  for (std::size_t at = 0; at < ip().size(); ++at) {
    const unsigned kept = bits > at * 8 ? std::min(bits - static_cast<unsigned>(at) * 8, 8U) : 0;
    result.ip_[at] = static_cast<std::uint8_t>(ip_[at] & (0xff00U >> kept));
  }
  return result;
}

bool Address::same_ip(const Address& other) const noexcept {
  return family_ == other.family_ && ip_ == other.ip_ && scope_ == other.scope_;
}

std::string Address::ip_string() const {
  if (family_ == Family::none) return "none";
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, ip_.data(), text.data(), text.size());
  return scope_ == 0 ? std::string{text.data()} : fmt::format("{}%{}", text.data(), scope_);
}

std::string Address::to_string() const {
  if (family_ == Family::none) return "none";
  return is_v4() ? fmt::format("{}:{}", ip_string(), port_) : fmt::format("[{}]:{}", ip_string(), port_);
}

// FNV-1a over what differs; std::hash of strings would build a string first.
std::size_t Address::hash() const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
  for (std::size_t at = 0; at < ip_.size(); at += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, ip_.data() + at, sizeof word);
    mix(word);
  }
  mix(port_);
  mix(scope_);
  return static_cast<std::size_t>(hash ^ (hash >> 32));
}

}  // namespace tftpkit::loop
