#include "loop/peer_table.hpp"

#include <cassert>
#include <functional>
#include <utility>

namespace tftpkit::loop {

std::size_t PeerTable::bucket(const Port& port, const Address& peer) const noexcept {
  const std::size_t mixed = peer.hash() ^ std::hash<const Port*>{}(&port) * 0x9e3779b97f4a7c15U;
  return (mixed ^ mixed >> 32U) & (buckets_.size() - 1);
}

Place* PeerTable::find(const Port& port, const Address& peer) const noexcept {
  Place* place = buckets_[bucket(port, peer)];
  while (place != nullptr && (place->port != &port || place->peer != peer))
    place = place->next;
  return place;
}

Place* PeerTable::add(Port& port, const Address& peer) {
  assert(find(port, peer) == nullptr);
  if (free_ == nullptr) grow();
  Place* place = std::exchange(free_, free_->next);
  Place*& first = buckets_[bucket(port, peer)];
  place->port = &port;
  place->peer = peer;
  place->next = first;
  first = place;
  ++size_;
  return place;
}

void PeerTable::remove(Place& place) noexcept {
  Place** link = &buckets_[bucket(*place.port, place.peer)];
  while (*link != &place)
    link = &(*link)->next;
  *link = place.next;
  place = Place{};
  place.next = std::exchange(free_, &place);
  --size_;
}

// More places, and as many buckets as places at least.
void PeerTable::grow() {
  auto more = std::make_unique<Place[]>(places_at_once);
  for (std::size_t at = 0; at < places_at_once; ++at)
    more[at].next = std::exchange(free_, &more[at]);
  memory_.push_back(std::move(more));
  if (memory_.size() * places_at_once <= buckets_.size()) return;
  const auto old = std::exchange(buckets_, std::vector<Place*>(buckets_.size() * 2));
  for (Place* place : old) {
    while (place != nullptr) {
      Place*& first = buckets_[bucket(*place->port, place->peer)];
      Place* const next = std::exchange(place->next, first);
      first = std::exchange(place, next);
    }
  }
}

// Places are not moved: their memory goes when nobody is there at all.
void PeerTable::tidy() {
  if (size_ != 0 || memory_.size() <= 1) return;
  free_ = nullptr;
  memory_.clear();
  memory_.shrink_to_fit();
  buckets_ = std::vector<Place*>(places_at_once);
}

}  // namespace tftpkit::loop
