#include "loop/path_mtus.hpp"

#include "loop/sockets.hpp"

#include <netinet/in.h>

namespace tftpkit::loop {
namespace {

std::uint32_t ask_kernel(const Address& local, const Address& peer) noexcept {
  const Fd probe = udp_socket(peer.family());
  if (!probe || !bind_to(probe.get(), local.with_port(0)) || !connect_to(probe.get(), peer)) return 0;
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool v6 = peer.is_v6();
  const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int failed = ::getsockopt(probe.get(), level, v6 ? IPV6_MTU : IP_MTU, &mtu, &length);
  return failed != 0 || mtu < 0 ? 0 : static_cast<std::uint32_t>(mtu);
}

}  // namespace

std::uint32_t PathMtus::towards(const Address& local, const Address& peer, TimePoint now) {
  const Address key = peer.with_port(0);
  if (const auto at = known_.find(key); at != known_.end() && at->second.until > now) return at->second.bytes;
  if (known_.size() >= most) known_.clear();
  const std::uint32_t bytes = ask_kernel(local, peer);
  known_[key] = {bytes, now + kept};
  return bytes;
}

void PathMtus::tidy(TimePoint now) {
  std::erase_if(known_, [now](const auto& entry) { return entry.second.until <= now; });
}

}  // namespace tftpkit::loop
