#include "loop/claim.hpp"

#include "loop/sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tftpkit::loop {
namespace {

constexpr int port_attempts = 16;

std::string explain(const Address& address, int error) {
  const auto where = fmt::format("cannot listen on {}", address.to_string());
  switch (error) {
  case EADDRINUSE:
    return fmt::format("{}: another program has this port (perhaps a second copy of this server); "
                       "`ss -ulpn sport = :{}` shows which. Stop it or choose another port",
                       where, address.port());
  case EADDRNOTAVAIL:
    return fmt::format("{}: this machine does not have the address {}; `ip address` lists those it has",
                       where, address.ip_string());
  case EAFNOSUPPORT:
    return fmt::format("{}: this kernel has {} switched off; leave the address out", where,
                       address.is_v6() ? "IPv6" : "IPv4");
  case EINVAL:
    if (address.is_v6() && address.is_link_local() && address.scope() == 0)
      return fmt::format("{}: a link-local address needs its interface, as in [{}%eth0]:{}", where,
                         address.ip_string(), address.port());
    [[fallthrough]];
  default: return fmt::format("{}: {}", where, std::strerror(error));
  }
}

[[noreturn]] void fail(const Address& address, int error) {
  throw ClaimError{address, error, explain(address, error)};
}

Fd new_socket(const Address& address) {
  Fd socket = listening_socket(address.family());
  if (!socket) fail(address, errno);
  return socket;
}

// The first socket binds without SO_REUSEPORT, so it fails when anybody has the port, even a copy of
// this server that shares. Linux looks at the flag of both sides at the time of the later bind, so
// setting it afterwards lets the other workers in. There is no moment at which the port is free.
ClaimedPort claim(const Address& address, unsigned workers) {
  ClaimedPort claimed{.address = address, .sockets = {}};
  Fd first = new_socket(address);
  if (!bind_to(first.get(), address)) fail(address, errno);
  if (!share_port(first.get())) fail(address, errno);
  claimed.address = bound_address(first.get());
  claimed.sockets.push_back(std::move(first));
  while (claimed.sockets.size() < workers) {
    Fd next = new_socket(address);
    if (!share_port(next.get()) || !bind_to(next.get(), claimed.address)) fail(claimed.address, errno);
    claimed.sockets.push_back(std::move(next));
  }
  return claimed;
}

bool is_free_wildcard(const Address& address, Family family) {
  return address.family() == family && address.is_unspecified() && address.port() == 0;
}

// 0.0.0.0:0 with [::]:0: the port that is free in one family may be taken in the other; try again then.
std::vector<ClaimedPort> claim_pair(unsigned workers) {
  for (int attempt = 1;; ++attempt) {
    std::vector<ClaimedPort> pair;
    pair.push_back(claim(Address::any(Family::v4, 0), workers));
    try {
      pair.push_back(claim(Address::any(Family::v6, pair.front().address.port()), workers));
      return pair;
    } catch (const ClaimError& error) {
      if (error.error() != EADDRINUSE || attempt == port_attempts) throw;
    }
  }
}

// Two addresses of the list that want the same packets would otherwise read as "in use by another program".
void refuse_overlap(std::span<const Address> addresses) {
  for (std::size_t later = 1; later < addresses.size(); ++later) {
    for (const Address& earlier : addresses.first(later)) {
      const Address& address = addresses[later];
      const bool same_port = earlier.family() == address.family() && earlier.port() == address.port();
      const bool overlaps = earlier.same_ip(address) || earlier.is_unspecified() || address.is_unspecified();
      if (!same_port || address.port() == 0 || !overlaps) continue;
      throw ClaimError{
          address, EADDRINUSE,
          fmt::format("cannot listen on {}: {} in the same list covers it already; leave one out",
                      address.to_string(), earlier.to_string())};
    }
  }
}

}  // namespace

ClaimError::ClaimError(const Address& address, int error, const std::string& text)
    : std::runtime_error{text}, address_{address}, error_{error} {}

std::vector<ClaimedPort> claim_ports(std::span<const Address> addresses, unsigned workers) {
  refuse_overlap(addresses);
  workers = std::max(workers, 1U);
  std::vector<ClaimedPort> claimed;
  for (std::size_t at = 0; at < addresses.size(); ++at) {
    if (is_free_wildcard(addresses[at], Family::v4) && at + 1 < addresses.size() &&
        is_free_wildcard(addresses[at + 1], Family::v6)) {
      std::ranges::move(claim_pair(workers), std::back_inserter(claimed));
      ++at;
    } else {
      claimed.push_back(claim(addresses[at], workers));
    }
  }
  return claimed;
}

}  // namespace tftpkit::loop
