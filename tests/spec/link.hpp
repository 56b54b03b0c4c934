// A Sender and a client joined by a network that loses, doubles, delays and reorders, on a virtual clock.
// Everything random comes from one seed. A packet's payload is its extent, so a client notices every byte
// that is wrong or missing.
#pragma once

#include "transfer/sender.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <queue>
#include <random>
#include <vector>

namespace tftpkit::test {

using transfer::Duration;
using transfer::Extent;
using transfer::TimePoint;

struct Weather {
  double loss = 0;       // share of packets, each way
  double duplicate = 0;  // share of packets that arrive twice, each way
  double reorder = 0;    // share of packets that are held back by up to `late`
  Duration late = std::chrono::milliseconds(3);
  Duration delay = std::chrono::microseconds(100);  // one way
  Duration per_packet{};        // time one DATA takes on the slowest link: later ones queue
  std::uint64_t lose_data = 0;  // exactly this DATA packet (counted from 1) is lost
};

// What a client can do; the models are in clients.hpp.
class Client {
 public:
  virtual ~Client() = default;

  virtual void on_oack(TimePoint now) = 0;
  virtual void on_data(std::uint16_t wire_block, Extent payload, TimePoint now) = 0;
  virtual void on_deadline(TimePoint now) = 0;
  [[nodiscard]] virtual std::optional<TimePoint> deadline() const = 0;

  // ACKs and repeated requests (nullopt) to send; the link takes them away.
  std::vector<std::optional<std::uint16_t>> outgoing;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool complete() const { return complete_; }

 protected:
  // The payload is the next of the file: checks that it is, and remembers.
  void take(Extent payload, std::uint16_t blksize);

 private:
  std::uint64_t bytes_ = 0;
  bool complete_ = false;
};

class Link {
 public:
  Link(transfer::Sender& sender, Client& client, const Weather& weather, std::uint64_t seed);

  // Until both ends are at rest or the time is over.
  void run(Duration most);
  // One way, from now on; for a network that changes between two runs.
  void set_delay(Duration delay) noexcept { weather_.delay = delay; }

  [[nodiscard]] Duration client_done_after() const { return done_at_ - TimePoint{}; }
  [[nodiscard]] std::uint64_t data_packets() const { return data_packets_; }
  [[nodiscard]] std::uint64_t acks() const { return acks_; }

 private:
  struct Packet {
    enum class Kind : std::uint8_t { oack, data, ack, request };
    TimePoint arrives;
    std::uint64_t order = 0;
    Kind kind = Kind::oack;
    std::uint16_t wire_block = 0;
    Extent payload;
  };
  struct Later {
    bool operator()(const Packet& a, const Packet& b) const {
      return a.arrives != b.arrives ? a.arrives > b.arrives : a.order > b.order;
    }
  };

  [[nodiscard]] bool chance(double share);
  void post(Packet packet);
  void deliver(const Packet& packet);
  void pump_sender();
  void pump_client();
  [[nodiscard]] std::optional<TimePoint> next_event() const;

  transfer::Sender& sender_;
  Client& client_;
  Weather weather_;
  std::mt19937_64 random_;
  std::priority_queue<Packet, std::vector<Packet>, Later> air_;
  TimePoint now_{};
  TimePoint wire_free_{};
  TimePoint done_at_{};
  std::uint64_t order_ = 0;
  std::uint64_t data_packets_ = 0;
  std::uint64_t acks_ = 0;
};

}  // namespace tftpkit::test
