// Address: an IPv4 or IPv6 address with port and scope id, as a small comparable value.
// Knows how the kernel and people write addresses; opens no socket and resolves no name.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace tftpkit::loop {

enum class Family : std::uint8_t { none, v4, v6 };

// 24 bytes; port in host order; the default value is "no address" (Family::none).
// A v4-mapped IPv6 address (::ffff:a.b.c.d) is kept as the IPv4 address that it means.
class Address {
 public:
  Address() noexcept = default;
  static Address v4(std::array<std::uint8_t, 4> ip, std::uint16_t port) noexcept;
  static Address v6(const std::array<std::uint8_t, 16>& ip, std::uint16_t port,
                    std::uint32_t scope = 0) noexcept;
  static Address any(Family family, std::uint16_t port) noexcept;
  // Family::none when the kernel's structure is neither AF_INET nor AF_INET6 or too short.
  static Address from_sockaddr(const sockaddr* address, socklen_t length) noexcept;

  // "10.0.0.1", "10.0.0.1:69", "::1", "[::1]", "[::1]:69", "[fe80::1%eth0]:69"; ":69" is 0.0.0.0:69.
  // On failure nothing is returned and `error` says what is wrong and what would be right.
  static std::optional<Address> parse(std::string_view text, std::uint16_t default_port, std::string& error);

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == Family::v4; }
  [[nodiscard]] bool is_v6() const noexcept { return family_ == Family::v6; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::uint32_t scope() const noexcept { return scope_; }
  // 4, 16 or 0 bytes in network order; lives as long as this value.
  [[nodiscard]] std::span<const std::uint8_t> ip() const noexcept;
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;  // 169.254/16, fe80::/10
  [[nodiscard]] bool is_multicast() const noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] Address with_port(std::uint16_t port) const noexcept;
  [[nodiscard]] Address with_scope(std::uint32_t scope) const noexcept;
  // The first address of the network of so many bits that it is in, port 0.
  [[nodiscard]] Address network(unsigned bits) const noexcept;
  [[nodiscard]] bool same_ip(const Address& other) const noexcept;  // ports do not matter

  [[nodiscard]] std::string to_string() const;  // "10.0.0.1:69", "[fe80::1%2]:69", "none"
  [[nodiscard]] std::string ip_string() const;  // "10.0.0.1", "fe80::1%2", "none"

  // Fills `out`, returns the length that bind() and connect() want; 0 for "no address".
  socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;

  friend auto operator<=>(const Address&, const Address&) noexcept = default;
  [[nodiscard]] std::size_t hash() const noexcept;

 private:
  Family family_ = Family::none;
  std::uint16_t port_ = 0;
  std::uint32_t scope_ = 0;
  std::array<std::uint8_t, 16> ip_{};
};

// Where to listen: as Address::parse, but ":69", "*:69" and "*" mean every address: 0.0.0.0 and [::].
// Empty on failure, with `error` filled.
std::vector<Address> parse_listen(std::string_view text, std::uint16_t default_port, std::string& error);

// A network in CIDR form. A bare address is a network of one; ::ffff:10.0.0.0/104 is 10.0.0.0/8.
class Network {
 public:
  // Host bits that are set are an error that names the network meant ("10.0.0.1/8: did you
  // mean 10.0.0.0/8?").
  static std::optional<Network> parse(std::string_view text, std::string& error);

  [[nodiscard]] bool contains(const Address& address) const noexcept;
  [[nodiscard]] unsigned prefix_bits() const noexcept { return prefix_bits_; }
  [[nodiscard]] const Address& base() const noexcept { return base_; }
  [[nodiscard]] std::string to_string() const;  // "10.0.0.0/8"
  friend bool operator==(const Network&, const Network&) noexcept = default;

 private:
  Address base_;
  unsigned prefix_bits_ = 0;
};

}  // namespace tftpkit::loop

template <>
struct std::hash<tftpkit::loop::Address> {
  std::size_t operator()(const tftpkit::loop::Address& address) const noexcept { return address.hash(); }
};
