// LastPorts: which port a client had last, so that its next transfer gets another one. A small table that
// forgets: two clients that share an entry cost each other a port that would have done.
#pragma once

#include "loop/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tftpkit::loop {

class LastPorts {
 public:
  [[nodiscard]] bool had(const Address& peer, std::uint16_t port) const noexcept {
    return ports_[entry(peer)] == port;
  }
  void remember(const Address& peer, std::uint16_t port) noexcept { ports_[entry(peer)] = port; }

 private:
  static std::size_t entry(const Address& peer) noexcept {
    const std::size_t mixed = peer.hash() * 0x9e3779b97f4a7c15U;
    return mixed >> 32U & (entries - 1);
  }

  static constexpr std::size_t entries = 4096;
  std::array<std::uint16_t, entries> ports_{};
};

}  // namespace tftpkit::loop
