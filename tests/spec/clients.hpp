// Clients as they behave on the wire (clients.md and its annex), for the simulated link.
#pragma once

#include "link.hpp"
#include "transfer/receiver.hpp"

#include <optional>

namespace tftpkit::test {

// Our own receiving end.
class KitClient : public Client {
 public:
  KitClient(const wire::Request& request, const std::vector<wire::Option>& oack, std::uint64_t seed);

  void on_oack(TimePoint now) override;
  void on_data(std::uint16_t wire_block, Extent payload, TimePoint now) override;
  void on_deadline(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> deadline() const override { return receiver_.deadline(); }
  [[nodiscard]] const transfer::Receiver& receiver() const { return receiver_; }

 private:
  void pump(TimePoint now);

  transfer::Receiver receiver_;
  std::vector<wire::Option> oack_;
};

// A client of firmware: it sends an ACK for every packet that is not the one it waits for, duplicates
// included (the other half of Sorcerer's Apprentice), and has a timer of its own, or none at all (GRUB,
// curl).
class FirmwareClient : public Client {
 public:
  struct Habits {
    std::uint16_t blksize = 512;
    std::uint16_t windowsize = 1;
    std::uint8_t rollover = 0;
    Duration timer = std::chrono::seconds(4);  // EDK2's; zero: never asks again
    bool one_ack_per_gap = false;              // U-Boot; EDK2 sends one per packet
  };

  explicit FirmwareClient(const Habits& habits) : habits_(habits) {}

  void on_oack(TimePoint now) override;
  void on_data(std::uint16_t wire_block, Extent payload, TimePoint now) override;
  void on_deadline(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> deadline() const override;

 private:
  void ack(TimePoint now);

  Habits habits_;
  TimePoint last_{};
  std::uint64_t received_ = 0;
  std::uint64_t acked_ = 0;
  int tries_ = 0;
  bool open_ = false;
  bool gap_reported_ = false;
};

}  // namespace tftpkit::test
