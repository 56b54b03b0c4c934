#include "loop/listener.hpp"

#include "loop/sockets.hpp"

namespace tftpkit::loop {
namespace {

// 256 datagrams a turn: a flood then leaves room for timers and transfers, and poll() comes back.
constexpr int batches_per_turn = 4;

}  // namespace

Listener::Listener(Loop& loop, ReceiveBatch& batch, Fd socket, OnDatagram on_datagram, OnBatch on_batch)
    : batch_{&batch}, socket_{std::move(socket)}, address_{bound_address(socket_.get())},
      delivery_{std::make_shared<Delivery>(Delivery{std::move(on_datagram), std::move(on_batch)})},
      watch_{loop, socket_.get(), FdWatch::Want::read, [this](Ready) { on_readable(); }} {}

Listener::~Listener() {
  delivery_->gone = true;
}

void Listener::on_readable() {
  const auto delivery = delivery_;
  for (int batch = 0; batch < batches_per_turn; ++batch) {
    const int count = batch_->receive(socket_.get());
    if (count < 0) ++counters_.receive_errors;
    if (count <= 0 || !deliver(static_cast<unsigned>(count), *delivery)) return;
    if (static_cast<unsigned>(count) < ReceiveBatch::capacity) return;
  }
}

// False when a callback destroyed the listener.
bool Listener::deliver(unsigned count, const Delivery& delivery) {
  ++counters_.batches;
  counters_.datagrams += count;
  const bool tells = count > 1 && delivery.on_batch;
  if (tells) delivery.on_batch(true);
  for (unsigned index = 0; index < count && !delivery.gone; ++index)
    delivery.on_datagram(batch_->at(index, address_));
  if (tells) delivery.on_batch(false);
  return !delivery.gone;
}

int Listener::send_to(const Address& peer, const Address& local, std::span<const std::byte> bytes) noexcept {
  return send_datagram(socket_.get(), peer, local, bytes);
}

}  // namespace tftpkit::loop
