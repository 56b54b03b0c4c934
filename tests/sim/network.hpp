// Network: the way between each host and the server, with its own weather: loss alone and in bursts, copies,
// delays, jitter, late packets, broken ones, silence in one direction, fragments that get lost. All faults
// end at one moment, from which on the weather is fine.
#pragma once

#include "kernel.hpp"
#include "machine.hpp"
#include "random.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace tftpkit::sim {

struct Direction {
  double loss = 0;
  double burst = 0;  // share of packets at which a burst of loss begins
  unsigned burst_length = 0;
  double copies = 0;
  double late = 0;         // share of packets that others overtake
  double broken = 0;       // share of packets with wrong or missing bytes
  Duration silent_from{};  // after the beginning
  Duration silent_for{};
};

struct Weather {
  Direction up;
  Direction down;
  Duration delay = std::chrono::microseconds(100);  // one way
  Duration jitter{};
  Duration lateness = std::chrono::milliseconds(5);  // at most
  Duration per_packet{};                             // on the slowest link; packets queue
  std::size_t queue = 1000;                          // packets; more are lost
  bool broken_pass = false;  // broken packets arrive (no checksum), else they are lost
  std::uint32_t mtu = 1500;
  std::uint32_t known_mtu = 1500;  // what the server's kernel believes
  bool drops_fragments = false;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual void receive(const Packet& packet) = 0;
  // Does its kernel tell when nobody listens on a port?
  [[nodiscard]] virtual bool tells() const = 0;
};

class Network {
 public:
  Network(Machine& machine, Random random, TimePoint calm)
      : machine_{machine}, random_{random}, calm_{calm} {}

  // `host` may be null: packets to the address vanish.
  void attach(const Address& address, Host* host, const Weather& weather);
  void send(Packet packet);           // from a host to the server
  void deliver(Packet packet);        // from the server
  void refuse(const Packet& packet);  // nobody listens where this packet went

  [[nodiscard]] std::uint32_t known_mtu(const Address& peer) const;
  // What happened to packets of this address so far: lost, doubled, late or broken.
  [[nodiscard]] std::uint64_t faults(const Address& peer) const;
  // Were broken packets delivered?
  [[nodiscard]] bool tainted(const Address& peer) const;
  void count_fault(const Address& peer);
  [[nodiscard]] bool is_attached(const Address& peer) const { return lines_.contains(peer.with_port(0)); }
  [[nodiscard]] TimePoint calm() const noexcept { return calm_; }

 private:
  struct Way {
    Random random{0};
    unsigned burst_left = 0;
    TimePoint link_free;
    TimePoint last_arrival;
  };
  struct Line {
    Host* host = nullptr;
    Weather weather;
    Way up;
    Way down;
    std::uint64_t faults = 0;
    bool tainted = false;
  };
  Line& line(const Address& address);
  [[nodiscard]] bool lost(const Direction& direction, Way& way, const Weather& weather,
                          const Packet& packet) const;
  [[nodiscard]] bool silent(const Direction& direction) const;
  void break_packet(Packet& packet, Random& random) const;
  void carry(Line& line, const Direction& direction, Way& way, Packet packet, bool to_server);
  void arrive(Line& line, const Packet& packet, bool to_server);

  Machine& machine_;
  Random random_;
  TimePoint calm_;
  std::map<Address, Line> lines_;  // by the address without its port
};

}  // namespace tftpkit::sim
