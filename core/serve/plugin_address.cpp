#include "serve/plugin_address.hpp"

#include "loop/neighbours.hpp"

#include <algorithm>
#include <array>

namespace tftpkit::serve {

tftpkit_addr plugin_address(const loop::Address& address) noexcept {
  tftpkit_addr plain{};
  plain.family = address.is_v4() ? 4 : address.is_v6() ? 6 : 0;
  plain.port = address.port();
  plain.scope_id = address.scope();
  std::ranges::copy(address.ip(), plain.bytes);
  return plain;
}

bool link_address_of(const tftpkit_addr& peer, std::uint8_t mac[6]) {
  loop::Address address;
  if (peer.family == 4) {
    address = loop::Address::v4({peer.bytes[0], peer.bytes[1], peer.bytes[2], peer.bytes[3]}, 0);
  } else if (peer.family == 6) {
    std::array<std::uint8_t, 16> ip{};
    std::ranges::copy(peer.bytes, ip.begin());
    address = loop::Address::v6(ip, 0, peer.scope_id);
  } else {
    return false;
  }
  const auto found = loop::link_address(address);
  if (found) std::ranges::copy(*found, mac);
  return found.has_value();
}

}  // namespace tftpkit::serve
