// Strangers: everybody who should not be there: random and half-right packets to the listening port and to
// transfer ports, and requests in the name of victims who never asked.
#pragma once

#include "machine.hpp"
#include "network.hpp"
#include "referee.hpp"

#include <string>
#include <vector>

namespace tftpkit::sim {

class Strangers final : public Host {
 public:
  Strangers(Machine& machine, Network& network, const Referee& referee, Address server,
            std::vector<std::string> paths, Random random);

  // One packet now and then, with this pause in the middle, until stop().
  void begin(Duration pause);
  void stop() noexcept { stopped_ = true; }

  void receive(const Packet& packet) override;  // of victims
  [[nodiscard]] bool tells() const override { return true; }

 private:
  void act();
  void send_noise();
  void spoof();
  void meddle();
  [[nodiscard]] Bytes noise();
  [[nodiscard]] Bytes some_packet();

  Machine& machine_;
  Network& network_;
  const Referee& referee_;
  Address server_;
  std::vector<std::string> paths_;
  Random random_;
  std::vector<Address> victims_;
  Duration pause_{};
  bool stopped_ = false;
};

}  // namespace tftpkit::sim
