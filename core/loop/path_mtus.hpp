// PathMtus: how large a packet may be on the way to a peer, as the kernel knows it. The kernel tells it of
// connected sockets only, so a socket is made to ask, and the answer is kept for a while.
#pragma once

#include "loop/address.hpp"
#include "loop/loop.hpp"

#include <chrono>
#include <cstdint>
#include <unordered_map>

namespace tftpkit::loop {

class PathMtus {
 public:
  // Bytes of an IP packet; 0 when unknown.
  [[nodiscard]] std::uint32_t towards(const Address& local, const Address& peer, TimePoint now);
  void tidy(TimePoint now);

 private:
  static constexpr std::chrono::seconds kept{1};
  static constexpr std::size_t most = 4096;

  struct Known {
    std::uint32_t bytes = 0;
    TimePoint until;
  };
  std::unordered_map<Address, Known> known_;  // by the peer without its port
};

}  // namespace tftpkit::loop
