// Datagram and ReceiveBatch: what recvmmsg brings in one call, as values. One batch of buffers per
// loop is enough, because every reader empties it before it returns.
#pragma once

#include "loop/address.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace tftpkit::loop {

// The bytes live until the callback that got them returns.
struct Datagram {
  std::span<const std::byte> bytes;
  Address peer;
  Address local;  // the address asked and the listening port; what an answer must come from
  unsigned interface_index = 0;
  bool truncated = false;  // was longer than 2,048 bytes
  bool broadcast = false;  // sent to a broadcast or multicast address; local is the interface's own address
};

class ReceiveBatch {
 public:
  static constexpr unsigned capacity = 64;
  static constexpr std::size_t datagram_bytes = 2048;

  using OnError = std::function<void(int error)>;

  // `on_error` hears of failures of receive() that are about this machine: no memory, a broken socket.
  explicit ReceiveBatch(OnError on_error = {});
  ~ReceiveBatch();
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // One recvmmsg. How many datagrams came (0: nothing there), or -errno.
  [[nodiscard]] int receive(int fd) noexcept;
  // `bound` is the address of the receiving socket; the packet info, where it came along, wins.
  [[nodiscard]] Datagram at(unsigned index, const Address& bound) const noexcept;

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
  OnError on_error_;
};

// One datagram to `peer` from `local`'s address through any UDP socket (packet info). 0 or errno.
int send_datagram(int fd, const Address& peer, const Address& local,
                  std::span<const std::byte> bytes) noexcept;

}  // namespace tftpkit::loop
