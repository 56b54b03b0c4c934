// Listener: one worker's listening socket. Delivers datagrams with the address that was asked and
// answers single datagrams from that address. Does not look inside a datagram.
#pragma once

#include "loop/datagram.hpp"
#include "loop/fd.hpp"
#include "loop/poller.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace tftpkit::loop {

class Listener {
 public:
  using OnDatagram = std::function<void(const Datagram&)>;
  // Told true before the datagrams of a batch, false behind them. Must not destroy the listener.
  using OnBatch = std::function<void(bool begins)>;

  // `socket` comes from claim_ports. Listening starts at once. Throws std::system_error.
  Listener(Loop& loop, ReceiveBatch& batch, Fd socket, OnDatagram on_datagram, OnBatch on_batch = {});
  ~Listener();  // allowed inside on_datagram
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const Address& address() const noexcept { return address_; }
  // Answers from the very address asked: `local` is the datagram's. 0 or errno; a full buffer drops it.
  int send_to(const Address& peer, const Address& local, std::span<const std::byte> bytes) noexcept;

  struct Counters {
    std::uint64_t datagrams = 0, batches = 0, receive_errors = 0;
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  // Shared with the callback that is running, which may destroy the listener.
  struct Delivery {
    OnDatagram on_datagram;
    OnBatch on_batch;
    bool gone = false;
  };
  void on_readable();
  bool deliver(unsigned count, const Delivery& delivery);

  ReceiveBatch* batch_;
  Fd socket_;
  Address address_;
  std::shared_ptr<Delivery> delivery_;
  Counters counters_;
  FdWatch watch_;
};

}  // namespace tftpkit::loop
