// PeerTable: whose packets belong to which transfer, on the ports of one loop. Places are pooled, so opening
// and closing a transfer allocates nothing once as many were open before. Knows no socket.
#pragma once

#include "loop/address.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace tftpkit::loop {

class PeerEvents;
struct Port;

// One transfer's place on a port. Owned by the table, held by its PeerSocket.
struct Place {
  Port* port = nullptr;
  Address peer;
  PeerEvents* events = nullptr;
  Place* next = nullptr;        // in the same bucket, or the next free one
  bool wants_writable = false;  // told once when the port takes packets again
};

class PeerTable {
 public:
  // The place of this peer on this port; null: nobody's.
  [[nodiscard]] Place* find(const Port& port, const Address& peer) const noexcept;
  // The peer must have none on this port. May throw std::bad_alloc.
  Place* add(Port& port, const Address& peer);
  void remove(Place& place) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Gives back the memory of a crowd that has gone.
  void tidy();

 private:
  static constexpr std::size_t places_at_once = 64;

  [[nodiscard]] std::size_t bucket(const Port& port, const Address& peer) const noexcept;
  void grow();

  std::vector<Place*> buckets_ = std::vector<Place*>(places_at_once);  // a power of two
  std::vector<std::unique_ptr<Place[]>> memory_;
  Place* free_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tftpkit::loop
