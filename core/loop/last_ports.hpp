// LastPorts: the few ports that a client had last, so that its next transfer gets another one. A small table
// that forgets: two clients that share an entry cost each other a port that would have done.
#pragma once

#include "loop/address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tftpkit::loop {

class LastPorts {
 public:
  static constexpr std::size_t remembered = 7;  // one less than the ports kept open

  // Among its last `transfers`, at most `remembered`.
  [[nodiscard]] bool had(const Address& peer, std::uint16_t port, std::size_t transfers) const noexcept {
    const auto last = std::span{entries_[place(peer)]}.first(transfers);
    return std::find(last.begin(), last.end(), port) != last.end();
  }
  void remember(const Address& peer, std::uint16_t port) noexcept {
    Entry& last = entries_[place(peer)];
    std::copy_backward(last.begin(), last.end() - 1, last.end());
    last.front() = port;
  }

 private:
  using Entry = std::array<std::uint16_t, remembered>;

  static std::size_t place(const Address& peer) noexcept {
    const std::size_t mixed = peer.hash() * 0x9e3779b97f4a7c15U;
    return mixed >> 32U & (entries - 1);
  }

  static constexpr std::size_t entries = 4096;
  std::array<Entry, entries> entries_{};
};

}  // namespace tftpkit::loop
