#include "loop/packet_info.hpp"

#include <cstring>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace tftpkit::loop {
namespace {

// Appends one control message; the buffer holds the two that set_control writes.
template <class Value>
void append(msghdr& message, ControlBuffer& buffer, int level, int type, const Value& value) noexcept {
  auto* header = reinterpret_cast<cmsghdr*>(buffer.bytes + message.msg_controllen);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  message.msg_controllen += CMSG_SPACE(sizeof value);
}

PacketInfo from_v4(const cmsghdr& header) noexcept {
  in_pktinfo info{};
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  std::array<std::uint8_t, 4> ip{};
  std::memcpy(ip.data(), &info.ipi_spec_dst, ip.size());
  // ipi_addr is the packet's destination, ipi_spec_dst the local address to answer from: they differ
  // for broadcast and multicast only.
  return {.local = Address::v4(ip, 0),
          .interface_index = static_cast<unsigned>(info.ipi_ifindex),
          .broadcast = info.ipi_spec_dst.s_addr != info.ipi_addr.s_addr};
}

PacketInfo from_v6(const cmsghdr& header) noexcept {
  in6_pktinfo info{};
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  std::array<std::uint8_t, 16> ip{};
  std::memcpy(ip.data(), &info.ipi6_addr, ip.size());
  PacketInfo result{.local = Address::v6(ip, 0),
                    .interface_index = static_cast<unsigned>(info.ipi6_ifindex),
                    .broadcast = false};
  if (result.local.is_multicast()) {
    // Linux has no ipi_spec_dst for IPv6: the route chooses the source of an answer.
    result.broadcast = true;
    result.local = Address::any(Family::v6, 0);
  } else if (result.local.is_link_local()) {
    result.local = result.local.with_scope(result.interface_index);
  }
  return result;
}

}  // namespace

void set_control(msghdr& message, ControlBuffer& buffer, const Address* source,
                 std::uint16_t segment) noexcept {
  message.msg_control = buffer.bytes;
  message.msg_controllen = 0;
  if (source != nullptr && source->is_v4() && !source->is_unspecified()) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, source->ip().data(), source->ip().size());
    append(message, buffer, IPPROTO_IP, IP_PKTINFO, info);
  } else if (source != nullptr && source->is_v6() && !source->is_unspecified()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, source->ip().data(), source->ip().size());
    info.ipi6_ifindex = source->scope();
    append(message, buffer, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (segment != 0) append(message, buffer, IPPROTO_UDP, UDP_SEGMENT, segment);
  if (message.msg_controllen == 0) message.msg_control = nullptr;
}

PacketInfo packet_info(const msghdr& message) noexcept {
  auto* walked = const_cast<msghdr*>(&message);  // CMSG_NXTHDR takes no const
  for (cmsghdr* header = CMSG_FIRSTHDR(walked); header != nullptr; header = CMSG_NXTHDR(walked, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) return from_v4(*header);
    if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) return from_v6(*header);
  }
  return {};
}

}  // namespace tftpkit::loop
