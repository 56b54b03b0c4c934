#include "loop/error_queue.hpp"

#include "loop/sockets.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tftpkit::loop {

void queue_icmp_errors(int fd, Family family) noexcept {
  if (family == Family::v6)
    set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  else
    set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
}

std::optional<IcmpError> next_icmp_error(int fd) noexcept {
  sockaddr_storage name{};
  alignas(cmsghdr) std::array<std::byte, 512> control{};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = sizeof name;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  IcmpError result{.peer =
                       Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), message.msg_namelen)};
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    const bool v4 = at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR;
    const bool v6 = at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err told{};
    std::memcpy(&told, CMSG_DATA(at), sizeof told);
    result.error = static_cast<int>(told.ee_errno);
  }
  return result;
}

}  // namespace tftpkit::loop
