// Outbox: small datagrams to many peers of one socket, gathered while a batch of packets is looked at and
// sent in one system call. Copies what it is given. What the socket does not take at the end is lost, as it
// would be in a full device queue: who sent it has a timer for that.
#pragma once

#include "loop/address.hpp"
#include "loop/burst.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace tftpkit::loop {

class Outbox {
 public:
  static constexpr std::size_t capacity = 64;
  static constexpr std::size_t datagram_bytes = 1536;

  Outbox();
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // False when it is full, holds datagrams of another socket, or the datagram is too large: then a flush()
  // comes first.
  bool put(int fd, const Address& peer, const Segment& segment) noexcept;
  bool put(int fd, const Address& peer, std::span<const std::byte> datagram) noexcept;
  void flush(BurstWriter& writer) noexcept;

 private:
  struct Datagrams;
  std::byte* add(int fd, const Address& peer, std::size_t size) noexcept;

  std::unique_ptr<Datagrams> datagrams_;
  std::size_t used_ = 0;
  int fd_ = -1;  // of those inside
};

}  // namespace tftpkit::loop
