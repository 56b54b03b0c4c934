// The inside of Ports, shared with PeerSocket: pools of ports by local address. Private to the room.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/fd.hpp"
#include "loop/last_ports.hpp"
#include "loop/loop.hpp"
#include "loop/outbox.hpp"
#include "loop/path_mtus.hpp"
#include "loop/peer_table.hpp"
#include "loop/poller.hpp"
#include "loop/ports.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tftpkit::loop {

struct Pool;

// One port. A transfer by broadcast request has one of its own on the wildcard, without a pool.
struct Port {
  Ports::State* owner = nullptr;
  Pool* pool = nullptr;
  Address address;  // where answers come from
  Fd socket;
  FdWatch watch;
  unsigned used = 0;
  std::vector<Address> blocked;  // peers whose transfers wait for room in the socket's buffer
  bool retired = false;          // its transfer has ended inside its own callback

  void begin(Loop& loop);
  void wait_for_room(Place& place);

 private:
  void on_ready(Ready ready);
  void receive();
  int receive_batch();
  void take_errors();
  void tell_writable();
};

struct Pool {
  Ports::State* owner = nullptr;
  Address local;  // port 0
  std::vector<std::unique_ptr<Port>> ports;
  std::size_t fills = 0;  // the port that new clients get until it is full
  std::size_t sessions = 0;
  TimePoint idle_since{};

  [[nodiscard]] std::size_t wanted_ports() const noexcept;
};

struct Ports::State {
  State(Loop& the_loop, Deadlines& the_deadlines, ReceiveBatch& the_batch, OnStranger callback,
        PortLimits the_limits)
      : loop{&the_loop}, deadlines{&the_deadlines}, batch{&the_batch},
        on_stranger{std::move(callback)}, limits{the_limits} {
    // With one port a peer's next transfer would meet the packets of its last one.
    limits.ports_idle = std::max(limits.ports_idle, 2U);
    limits.peers_per_port = std::max(limits.peers_per_port, 1U);
  }

  Loop* loop;
  Deadlines* deadlines;
  ReceiveBatch* batch;
  OnStranger on_stranger;
  PortLimits limits;
  BurstWriter writer;
  Outbox outbox;
  bool gathering = false;  // a batch of packets is being looked at: small answers to it leave together
  PathMtus path_mtus;
  PeerTable peers;
  LastPorts last_ports;
  std::unordered_map<Address, Pool> pools;
  Deadline tidying = Deadline::calls<&State::tidy>(this);
  std::uint64_t opened = 0, strangers = 0;
  bool in_callback = false;                    // of a port
  std::vector<std::unique_ptr<Port>> retired;  // until that callback has returned

  Place* take(const Address& local, const Address& peer, int& error);
  std::unique_ptr<Port> open_wildcard_port(const Address& local, int& error);
  void give_back(Place& place) noexcept;
  void retire(std::unique_ptr<Port> port);
  void stranger(int fd, const Datagram& datagram);
  void gather(bool on) noexcept;
  void tidy();

 private:
  Pool& pool_of(const Address& local);
  std::unique_ptr<Port> open_port(const Address& bound, int& error);
  Port* choose(Pool& pool, const Address& peer, int& error);
  [[nodiscard]] bool free_for(const Port& port, const Address& peer, std::size_t not_of_last) const noexcept;
  Port* free_port(Pool& pool, const Address& peer, unsigned below, std::size_t not_of_last);
  Port* add_port(Pool& pool, int& error);
};

}  // namespace tftpkit::loop
