// LastPorts: the few ports that a client had last, so that its next transfer gets another one. A small table
// that forgets: of two clients that share an entry the one that came last is known.
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
    const Entry& entry = entries_[place(peer)];
    const auto last = std::span{entry.ports}.first(transfers);
    return entry.peer == tag(peer) && std::find(last.begin(), last.end(), port) != last.end();
  }
  void remember(const Address& peer, std::uint16_t port) noexcept {
    Entry& entry = entries_[place(peer)];
    if (entry.peer != tag(peer)) entry = {tag(peer), {}};
    std::copy_backward(entry.ports.begin(), entry.ports.end() - 1, entry.ports.end());
    entry.ports.front() = port;
  }

 private:
  struct Entry {
    std::uint16_t peer = 0;  // the few bits of its hash that tell it from others of this entry
    std::array<std::uint16_t, remembered> ports{};
  };

  static std::size_t mixed(const Address& peer) noexcept { return peer.hash() * 0x9e3779b97f4a7c15U; }
  static std::size_t place(const Address& peer) noexcept { return mixed(peer) >> 32U & (entries - 1); }
  static std::uint16_t tag(const Address& peer) noexcept {
    return static_cast<std::uint16_t>(mixed(peer) >> 48U);
  }

  static constexpr std::size_t entries = 4096;
  std::array<Entry, entries> entries_{};
};

}  // namespace tftpkit::loop
