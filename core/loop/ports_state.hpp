// The inside of Ports, shared with PeerSocket: pools of ports by local address. Private to the room.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/loop.hpp"
#include "loop/poller.hpp"
#include "loop/port_lease.hpp"
#include "loop/ports.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tftpkit::loop {

struct Pool;

// One port: the catcher and the peers whose connected sockets share it.
struct Port {
  static constexpr unsigned most_peers = 8;

  Pool* pool = nullptr;
  Address address;
  std::array<Address, most_peers> peers{};  // Family::none: a free place
  unsigned used = 0;
  Fd catcher;
  FdWatch watch;

  [[nodiscard]] bool serves(const Address& peer) const noexcept;
  // No two sockets of one port may have the same peer: the kernel could not tell them apart.
  std::optional<unsigned> take_place(const Address& peer, unsigned most) noexcept;
  void release(unsigned place) noexcept;
};

struct Pool {
  Ports::State* owner = nullptr;
  Address local;  // port 0
  std::vector<std::unique_ptr<Port>> ports;
  std::size_t next = 0;
  std::size_t sessions = 0;
  TimePoint idle_since{};

  [[nodiscard]] std::size_t wanted_ports() const noexcept;
};

struct Ports::State {
  State(Loop& the_loop, Deadlines& the_deadlines, ReceiveBatch& the_batch, OnStranger callback,
        PortLimits the_limits)
      : loop{&the_loop}, deadlines{&the_deadlines}, batch{&the_batch},
        on_stranger{std::move(callback)}, limits{the_limits} {
    limits.peers_per_port = std::clamp(limits.peers_per_port, 1U, Port::most_peers);
    // With one port a peer's next transfer would meet the packets of its last one.
    limits.ports_idle = std::max(limits.ports_idle, 2U);
    limits.ports_busy = std::max(limits.ports_busy, limits.ports_idle);
  }

  Loop* loop;
  Deadlines* deadlines;
  ReceiveBatch* batch;
  OnStranger on_stranger;
  PortLimits limits;
  BurstWriter writer;
  std::unordered_map<Address, Pool> pools;
  Deadline tidying = Deadline::calls<&State::tidy>(this);
  std::uint64_t opened = 0, strangers = 0;
  std::size_t sessions = 0;

  Pool& pool_of(const Address& local);
  PortLease take(Pool& pool, const Address& peer, int& error);
  void stranger(int fd, const Datagram& datagram);
  void tidy();

 private:
  std::unique_ptr<Port> open_port(Pool& pool, int& error);
  Port* add_port(Pool& pool, int& error);
  void on_catcher(Port& port);
};

}  // namespace tftpkit::loop
