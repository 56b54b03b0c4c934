#include "loop/peer_socket.hpp"

#include "loop/ports_state.hpp"

#include <cerrno>
#include <utility>

namespace tftpkit::loop {
namespace {

// An ICMP error about another peer makes one call on the shared socket fail; it says nothing about this one.
constexpr int tries_after_errors_of_others = 4;

}  // namespace

std::optional<PeerSocket> PeerSocket::open(Ports& ports, const Address& local, const Address& peer,
                                           bool broadcast, PeerEvents& events, int& error) {
  error = local.family() == peer.family() && peer.port() != 0 ? 0 : EINVAL;
  if (error != 0) return std::nullopt;
  Ports::State& state = *ports.state_;
  std::unique_ptr<Port> own;
  Place* place = nullptr;
  // Linux has broadcast in IPv4 only; an answer to an IPv6 multicast is an ordinary conversation.
  if (broadcast && peer.is_v4()) {
    own = state.open_wildcard_port(local, error);
    if (own) place = state.peers.add(*own, peer);
  } else {
    place = state.take(local, peer, error);
  }
  if (place == nullptr) return std::nullopt;
  place->events = &events;
  ++state.opened;
  return PeerSocket{*place, std::move(own)};
}

PeerSocket::PeerSocket(Place& place, std::unique_ptr<Port> own_port) noexcept
    : place_{&place}, own_port_{std::move(own_port)} {}

PeerSocket::PeerSocket(PeerSocket&& other) noexcept
    : place_{std::exchange(other.place_, nullptr)}, own_port_{std::move(other.own_port_)}, gso_{other.gso_} {}

PeerSocket& PeerSocket::operator=(PeerSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  place_ = std::exchange(other.place_, nullptr);
  own_port_ = std::move(other.own_port_);
  gso_ = other.gso_;
  return *this;
}

PeerSocket::~PeerSocket() {
  close();
}

void PeerSocket::close() {
  Place* place = std::exchange(place_, nullptr);
  if (place == nullptr) return;
  Ports::State& state = *place->port->owner;
  state.give_back(*place);
  state.retire(std::move(own_port_));
}

void PeerSocket::await_writable() {
  place_->port->wait_for_room(*place_);
}

// A port on the wildcard has to name the address that was asked.
BurstTarget PeerSocket::target() const noexcept {
  const Port& port = *place_->port;
  return {.fd = port.socket.get(),
          .peer = &place_->peer,
          .source = own_port_ ? &port.address : nullptr,
          .path_mtu = 0,
          .v6 = place_->peer.is_v6(),
          .gso = gso_};
}

// True when the datagram leaves together with others. What cannot must not overtake what does.
template <class Datagram>
bool PeerSocket::gathered(const Datagram& datagram) {
  Ports::State& state = *place_->port->owner;
  if (!state.gathering || own_port_) return false;
  const int fd = place_->port->socket.get();
  if (state.outbox.put(fd, place_->peer, datagram)) return true;
  state.outbox.flush(state.writer);
  return state.outbox.put(fd, place_->peer, datagram);
}

Sent PeerSocket::send_burst(std::span<const Segment> segments) {
  constexpr Sent one{.segments = 1, .status = SendStatus::ok, .error = 0};
  if (segments.size() == 1 && gathered(segments[0])) return one;
  place_->port->owner->outbox.flush(place_->port->owner->writer);
  BurstTarget to = target();
  if (gso_ && segments.size() > 1) to.path_mtu = path_mtu();
  Sent sent;
  for (int tries = 0; tries < tries_after_errors_of_others; ++tries) {
    const Sent more = place_->port->owner->writer.write(to, segments.subspan(sent.segments));
    sent = {.segments = sent.segments + more.segments, .status = more.status, .error = more.error};
    if (sent.status != SendStatus::refused) break;
  }
  gso_ = to.gso;
  return sent;
}

Sent PeerSocket::send(std::span<const std::byte> bytes) {
  Sent sent{.segments = 1, .status = SendStatus::ok, .error = 0};
  if (gathered(bytes)) return sent;
  for (int tries = 0; tries < tries_after_errors_of_others; ++tries) {
    sent = place_->port->owner->writer.write(target(), bytes);
    if (sent.status != SendStatus::refused) break;
  }
  return sent;
}

std::uint32_t PeerSocket::path_mtu() const {
  Ports::State& state = *place_->port->owner;
  return state.path_mtus.towards(place_->port->address, place_->peer, state.loop->now());
}

std::uint32_t PeerSocket::path_payload() const {
  const std::uint32_t headers = place_->peer.is_v6() ? 48 : 28;
  const std::uint32_t mtu = path_mtu();
  return mtu > headers ? mtu - headers : 0;
}

const Address& PeerSocket::peer() const noexcept {
  return place_->peer;
}

const Address& PeerSocket::local() const noexcept {
  return place_->port->address;
}

}  // namespace tftpkit::loop
