// OurClient: the receiving end of room transfer as a client of the server: what `tftpkit get` is. Its packets
// are written and read by the simulator's own code; what it has to hold is written where it is checked.
#pragma once

#include "client.hpp"
#include "transfer/receiver.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace tftpkit::sim {

class OurClient final : public Caller {
 public:
  using Caller::Caller;
  void receive(const Packet& packet) override;

 private:
  void begin_attempt(std::uint16_t port) override;
  void leave() override { receiver_.reset(); }
  void understand(std::span<const std::byte> packet);
  void on_oack(std::span<const std::byte> packet);
  void on_data(std::span<const std::byte> packet);
  void note_data(std::uint32_t ahead, bool taken);
  void pump();
  void send_reply(const transfer::Reply& reply);
  void send_ack(std::uint16_t block);
  void settle();
  void set_timer();
  void on_timer();

  std::optional<transfer::Receiver> receiver_;
  std::optional<Address> partner_;
  bool asked_ = false;
  bool ended_ = false;       // and noted so; answers may still follow
  std::uint64_t taken_ = 0;  // blocks
  std::uint64_t acked_ = 0;
  std::uint64_t packets_ = 0;  // heard since the last of ours, each of which explains an answer
  bool ack_due_ = false;       // by what came just now
  bool gap_told_ = false;      // since the last block in order
  TimePoint last_sent_;
  TimePoint last_heard_;
  std::uint64_t timers_ = 0;  // the number of the one that counts
};

}  // namespace tftpkit::sim
