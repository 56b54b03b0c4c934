#include "loop/neighbours.hpp"

#include "loop/fd.hpp"

#include <cstring>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <span>
#include <sys/socket.h>
#include <sys/time.h>

namespace tftpkit::loop {

namespace {

using LinkAddress = std::array<std::uint8_t, 6>;

struct DumpRequest {
  nlmsghdr header;
  ndmsg body;
};

bool ask_for_table(int fd, const Address& address) {
  DumpRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETNEIGH;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.ndm_family = address.is_v4() ? AF_INET : AF_INET6;
  return ::send(fd, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

bool usable(const ndmsg& entry, const Address& address) {
  constexpr unsigned known = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
  if ((entry.ndm_state & known) == 0) return false;
  return address.scope() == 0 || static_cast<std::uint32_t>(entry.ndm_ifindex) == address.scope();
}

std::optional<LinkAddress> match(const nlmsghdr* message, const Address& address) {
  const auto* entry = static_cast<const ndmsg*>(NLMSG_DATA(message));
  if (!usable(*entry, address)) return std::nullopt;
  const void* destination = nullptr;
  const void* link = nullptr;
  auto left = static_cast<int>(message->nlmsg_len) - static_cast<int>(NLMSG_LENGTH(sizeof *entry));
  const char* start = reinterpret_cast<const char*>(entry) + NLMSG_ALIGN(sizeof *entry);
  for (const auto* part = reinterpret_cast<const rtattr*>(start); RTA_OK(part, left);
       part = RTA_NEXT(part, left)) {
    if (part->rta_type == NDA_DST && RTA_PAYLOAD(part) == address.ip().size()) destination = RTA_DATA(part);
    if (part->rta_type == NDA_LLADDR && RTA_PAYLOAD(part) == 6) link = RTA_DATA(part);
  }
  if (destination == nullptr || link == nullptr) return std::nullopt;
  if (std::memcmp(destination, address.ip().data(), address.ip().size()) != 0) return std::nullopt;
  LinkAddress found{};
  std::memcpy(found.data(), link, found.size());
  return found;
}

enum class Dump { goes_on, over };

Dump read_part(std::span<const char> part, const Address& address, std::optional<LinkAddress>& found) {
  auto left = static_cast<unsigned>(part.size());
  for (const auto* message = reinterpret_cast<const nlmsghdr*>(part.data()); NLMSG_OK(message, left);
       message = NLMSG_NEXT(message, left)) {
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return Dump::over;
    if (!found && message->nlmsg_type == RTM_NEWNEIGH) found = match(message, address);
  }
  return Dump::goes_on;
}

}  // namespace

std::optional<LinkAddress> link_address(const Address& address) {
  const Fd fd{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (!fd) return std::nullopt;
  const timeval patience{0, 100'000};  // the kernel answers at once; never hang on it
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!ask_for_table(fd.get(), address)) return std::nullopt;
  std::optional<LinkAddress> found;
  alignas(nlmsghdr) std::array<char, 32768> buffer{};
  for (;;) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return found;
    if (read_part({buffer.data(), static_cast<std::size_t>(got)}, address, found) == Dump::over) return found;
  }
}

}  // namespace tftpkit::loop
