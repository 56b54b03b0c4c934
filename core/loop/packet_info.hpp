// Packet info: the control messages that carry local addresses (RFC 3542, ip(7)) and the GSO segment
// size (udp(7)), built in a caller's buffer.
#pragma once

#include "loop/address.hpp"

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tftpkit::loop {

struct alignas(cmsghdr) ControlBuffer {
  static constexpr std::size_t size = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t));
  std::byte bytes[size];
};

// Makes `message` carry the source address (skipped when null or unspecified) and the segment size
// (skipped when 0). Without either the message carries no control data.
void set_control(msghdr& message, ControlBuffer& buffer, const Address* source,
                 std::uint16_t segment) noexcept;

struct PacketInfo {
  Address local;  // without a port; Family::none when the kernel told nothing
  unsigned interface_index = 0;
  bool broadcast = false;
};

PacketInfo packet_info(const msghdr& message) noexcept;

}  // namespace tftpkit::loop
