// Ports: the transfer ports of one loop. Transfers with different peers share a port; whose packet it is
// is found by its source. Knows nothing about what a transfer is; PeerSocket takes its place from here.
#pragma once

#include "loop/address.hpp"
#include "loop/burst.hpp"
#include "loop/datagram.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace tftpkit::loop {

class Loop;
class Deadlines;

// Answers one stranger from the very port that it hit. 0 or errno.
class StrangerReply {
 public:
  StrangerReply(int fd, const Datagram& datagram) noexcept : fd_{fd}, datagram_{&datagram} {}
  int operator()(std::span<const std::byte> bytes) const noexcept;

 private:
  int fd_;
  const Datagram* datagram_;
};

struct PortLimits {
  unsigned ports_idle = 8;        // may stay open for each local address
  unsigned peers_per_port = 128;  // then another one is opened: a receive buffer holds only so many packets
  std::chrono::seconds address_idle{60};  // then a local address without transfers gives its ports back
};

class Ports {
 public:
  // A packet from somebody who is not the peer of any transfer on that port. Called on the loop's
  // thread; must not destroy the Ports. `datagram.local` carries the transfer port.
  using OnStranger = std::function<void(const Datagram& datagram, const StrangerReply& reply)>;

  Ports(Loop& loop, Deadlines& deadlines, ReceiveBatch& batch, OnStranger on_stranger,
        PortLimits limits = {});
  ~Ports();  // after every PeerSocket
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  struct Counters {
    std::uint64_t opened = 0, strangers = 0;
    std::size_t ports = 0, addresses = 0, sessions = 0;
  };
  [[nodiscard]] Counters counters() const noexcept;
  // Closes idle ports beyond what is wanted and forgets addresses long idle; runs by itself every 5 s.
  void tidy();
  // On while a batch of requests is looked at: small packets to their clients then wait for its end and leave
  // together.
  void gather(bool on) noexcept;
  [[nodiscard]] BurstWriter& burst_writer() noexcept;

  struct State;  // for PeerSocket

 private:
  friend class PeerSocket;
  std::unique_ptr<State> state_;
};

}  // namespace tftpkit::loop
