// The kernel's neighbour table (ARP, NDP): the link-layer address of a host on a directly attached link.
#pragma once

#include "loop/address.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace tftpkit::loop {

// Nothing when the address is not in the table or its entry is incomplete. One netlink dump: microseconds for
// tables of some hundred entries, and growing with them. From any thread.
std::optional<std::array<std::uint8_t, 6>> link_address(const Address& address);

}  // namespace tftpkit::loop
