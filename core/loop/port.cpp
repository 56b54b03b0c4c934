// One transfer port: what arrives goes to the transfer whose peer sent it.
#include "loop/error_queue.hpp"
#include "loop/peer_socket.hpp"
#include "loop/ports_state.hpp"

#include <cerrno>
#include <utility>

namespace tftpkit::loop {
namespace {

constexpr int errors_per_turn = 64;
// More than all who share a port, with some to spare; a flood still leaves room for timers and other ports.
constexpr int batches_per_turn = 4;

}  // namespace

void Port::begin(Loop& loop) {
  watch = FdWatch{loop, socket.get(), FdWatch::Want::read, [this](Ready ready) { on_ready(ready); }};
}

// Ports of a pool are closed in tidy() only; one of a transfer by broadcast request is
// retired with its transfer, perhaps in here.
void Port::on_ready(Ready ready) {
  Ports::State& state = *owner;
  state.in_callback = true;
  if (ready.error) take_errors();
  if (ready.writable) tell_writable();
  if (ready.readable) receive();
  state.in_callback = false;
  state.retired.clear();
}

void Port::receive() {
  for (int batch = 0; batch < batches_per_turn && !retired; ++batch)
    if (receive_batch() < static_cast<int>(ReceiveBatch::capacity)) return;
}

int Port::receive_batch() {
  ReceiveBatch& batch = *owner->batch;
  const int count = batch.receive(socket.get());
  // A lone packet is answered at once: the answer need not be copied.
  if (count > 1) owner->gather(true);
  for (int index = 0; index < count && !retired; ++index) {
    const Datagram datagram = batch.at(static_cast<unsigned>(index), address);
    if (const Place* place = owner->peers.find(*this, datagram.peer))
      place->events->on_packet(datagram.bytes);
    else
      owner->stranger(socket.get(), datagram);
  }
  if (count > 1) owner->gather(false);
  return count;
}

void Port::take_errors() {
  for (int count = 0; count < errors_per_turn && !retired; ++count) {
    const auto told = next_icmp_error(socket.get());
    if (!told) return;
    if (told->error != ECONNREFUSED) continue;
    if (const Place* place = owner->peers.find(*this, told->peer)) place->events->on_refused();
  }
}

void Port::wait_for_room(Place& place) {
  if (std::exchange(place.wants_writable, true)) return;
  blocked.push_back(place.peer);
  watch.want(FdWatch::Want::both);
}

void Port::tell_writable() {
  const auto waiting = std::exchange(blocked, {});
  watch.want(FdWatch::Want::read);
  for (const Address& peer : waiting) {
    Place* place = owner->peers.find(*this, peer);
    if (place != nullptr && std::exchange(place->wants_writable, false)) place->events->on_writable();
  }
}

}  // namespace tftpkit::loop
