// The kernel's side of msghdr: what a send asks for, and what a receive is told. Written by the manual pages
// ip(7), ipv6(7), udp(7) and cmsg(3), not by what room loop makes of it.
#pragma once

#include "kernel.hpp"

#include <cstdint>
#include <sys/socket.h>
#include <vector>

namespace tftpkit::sim {

struct SendOptions {
  Address source;             // by packet info; else no address
  std::uint16_t segment = 0;  // UDP_SEGMENT
};

[[nodiscard]] SendOptions send_options(const msghdr& message);
[[nodiscard]] std::vector<std::byte> gathered(const msghdr& message);
[[nodiscard]] Address destination(const msghdr& message);

void write_message(mmsghdr& into, const Packet& packet, bool packet_info);
void write_error_message(msghdr& into, const Address& peer, int error);

}  // namespace tftpkit::sim
