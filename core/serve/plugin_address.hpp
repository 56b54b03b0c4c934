// Addresses on both sides of the plugin border, and the peer's link-layer address for plugins.
#pragma once

#include "loop/address.hpp"

#include <tftpkit/plugin.h>

#include <cstdint>

namespace tftpkit::serve {

[[nodiscard]] tftpkit_addr plugin_address(const loop::Address& address) noexcept;

// Looks into the kernel's neighbour table. [any thread]
bool link_address_of(const tftpkit_addr& peer, std::uint8_t mac[6]);

}  // namespace tftpkit::serve
