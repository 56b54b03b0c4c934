#include "messages.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace tftpkit::sim {

namespace {

template <class Value>
Value value_of(const cmsghdr& header) {
  Value value{};
  std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  return value;
}

template <class Value>
void write_control(msghdr& into, int level, int type, const Value& value) {
  cmsghdr* header = CMSG_FIRSTHDR(&into);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  into.msg_controllen = CMSG_SPACE(sizeof value);
}

Address v4(const in_addr& ip) {
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &ip, bytes.size());
  return Address::v4(bytes, 0);
}

Address v6(const in6_addr& ip) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &ip, bytes.size());
  return Address::v6(bytes, 0);
}

void write_name(msghdr& into, const Address& address) {
  sockaddr_storage name{};
  const socklen_t length = address.to_sockaddr(name);
  std::memcpy(into.msg_name, &name, std::min(length, into.msg_namelen));
  into.msg_namelen = length;
}

void write_packet_info(msghdr& into, const Packet& packet) {
  if (packet.to.is_v6()) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, packet.to.ip().data(), sizeof info.ipi6_addr);
    info.ipi6_ifindex = 2;
    return write_control(into, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  in_pktinfo info{};
  std::memcpy(&info.ipi_spec_dst, packet.to.ip().data(), sizeof info.ipi_spec_dst);
  info.ipi_addr = info.ipi_spec_dst;
  if (packet.broadcast) info.ipi_addr.s_addr |= htonl(0xff);
  info.ipi_ifindex = 2;
  write_control(into, IPPROTO_IP, IP_PKTINFO, info);
}

}  // namespace

SendOptions send_options(const msghdr& message) {
  SendOptions options;
  auto* walked = const_cast<msghdr*>(&message);  // CMSG_NXTHDR takes no const
  for (cmsghdr* at = CMSG_FIRSTHDR(walked); at != nullptr; at = CMSG_NXTHDR(walked, at)) {
    if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO)
      options.source = v4(value_of<in_pktinfo>(*at).ipi_spec_dst);
    if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO)
      options.source = v6(value_of<in6_pktinfo>(*at).ipi6_addr);
    if (at->cmsg_level == IPPROTO_UDP && at->cmsg_type == UDP_SEGMENT)
      options.segment = value_of<std::uint16_t>(*at);
  }
  return options;
}

std::vector<std::byte> gathered(const msghdr& message) {
  std::vector<std::byte> bytes;
  for (std::size_t at = 0; at < message.msg_iovlen; ++at) {
    const auto* part = static_cast<const std::byte*>(message.msg_iov[at].iov_base);
    bytes.insert(bytes.end(), part, part + message.msg_iov[at].iov_len);
  }
  return bytes;
}

Address destination(const msghdr& message) {
  return Address::from_sockaddr(static_cast<const sockaddr*>(message.msg_name), message.msg_namelen);
}

void write_message(mmsghdr& into, const Packet& packet, bool packet_info) {
  msghdr& header = into.msg_hdr;
  const std::size_t length = std::min(packet.bytes.size(), header.msg_iov[0].iov_len);
  if (length > 0) std::memcpy(header.msg_iov[0].iov_base, packet.bytes.data(), length);
  into.msg_len = static_cast<unsigned>(length);
  header.msg_flags = length < packet.bytes.size() ? MSG_TRUNC : 0;
  write_name(header, packet.from);
  if (packet_info)
    write_packet_info(header, packet);
  else
    header.msg_controllen = 0;
}

void write_error_message(msghdr& into, const Address& peer, int error) {
  sock_extended_err told{};
  told.ee_errno = static_cast<std::uint32_t>(error);
  told.ee_origin = peer.is_v6() ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
  write_name(into, peer);
  if (peer.is_v6())
    write_control(into, IPPROTO_IPV6, IPV6_RECVERR, told);
  else
    write_control(into, IPPROTO_IP, IP_RECVERR, told);
  into.msg_flags = MSG_ERRQUEUE;
}

}  // namespace tftpkit::sim
