#include "loop/sockets.hpp"

#include <netinet/in.h>

namespace tftpkit::loop {
namespace {

void leave_fragmenting_to_ip(int fd, Family family) noexcept {
  if (family == Family::v6)
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  else
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

}  // namespace

bool set_option(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

Fd udp_socket(Family family) noexcept {
  const bool v6 = family == Family::v6;
  Fd socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return socket;
  if (v6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  leave_fragmenting_to_ip(socket.get(), family);
  return socket;
}

Fd listening_socket(Family family) noexcept {
  Fd socket = udp_socket(family);
  if (socket && !prepare_listening(socket.get(), family)) return Fd{};
  return socket;
}

bool prepare_listening(int fd, Family family) noexcept {
  leave_fragmenting_to_ip(fd, family);
  const bool told = family == Family::v6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                                         : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (told) make_room(fd);
  return told;
}

bool bind_to(int fd, const Address& address) noexcept {
  sockaddr_storage name{};
  const socklen_t length = address.to_sockaddr(name);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&name), length) == 0;
}

bool connect_to(int fd, const Address& address) noexcept {
  sockaddr_storage name{};
  const socklen_t length = address.to_sockaddr(name);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&name), length) == 0;
}

Address bound_address(int fd) noexcept {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return {};
  return Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), length);
}

void make_room(int fd) noexcept {
  // A ceiling, not an allocation: room for a rack that boots at once.
  constexpr int bytes = 4 << 20;
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes)) set_option(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

bool share_port(int fd) noexcept {
  return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

}  // namespace tftpkit::loop
