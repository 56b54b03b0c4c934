#include "loop/error_queue.hpp"
#include "loop/ports_state.hpp"
#include "loop/sockets.hpp"

#include <cerrno>
#include <limits>
#include <system_error>

namespace tftpkit::loop {
namespace {

constexpr std::chrono::seconds tidy_interval{5};

}  // namespace

int StrangerReply::operator()(std::span<const std::byte> bytes) const noexcept {
  return send_datagram(fd_, datagram_->peer, datagram_->local, bytes);
}

// The kernel picks a port that nobody has. One socket hears many clients at once: room for their packets.
std::unique_ptr<Port> Ports::State::open_port(const Address& bound, int& error) {
  Fd socket = udp_socket(bound.family());
  if (!socket || !bind_to(socket.get(), bound)) {
    error = errno;
    return nullptr;
  }
  make_room(socket.get());
  queue_icmp_errors(socket.get(), bound.family());
  auto port = std::make_unique<Port>();
  port->owner = this;
  port->address = bound.with_port(bound_address(socket.get()).port());
  port->socket = std::move(socket);
  try {
    port->begin(*loop);
  } catch (const std::system_error& refused) {
    error = refused.code().value();
    return nullptr;
  }
  return port;
}

// Broadcast packets reach wildcard sockets only.
std::unique_ptr<Port> Ports::State::open_wildcard_port(const Address& local, int& error) {
  auto port = open_port(Address::any(local.family(), 0), error);
  if (port) port->address = local.with_port(port->address.port());
  return port;
}

void Ports::State::stranger(int fd, const Datagram& datagram) {
  ++strangers;
  on_stranger(datagram, StrangerReply{fd, datagram});
}

std::size_t Pool::wanted_ports() const noexcept {
  return owner->limits.ports_idle + sessions / owner->limits.peers_per_port;
}

Port* Ports::State::add_port(Pool& pool, int& error) {
  auto port = open_port(pool.local, error);
  if (!port) return nullptr;
  port->pool = &pool;
  pool.ports.push_back(std::move(port));
  return pool.ports.back().get();
}

// None where the peer has a transfer already: two of them could not be told apart.
bool Ports::State::free_for(const Port& port, const Address& peer, std::size_t not_of_last) const noexcept {
  return !last_ports.had(peer, port.address.port(), not_of_last) && peers.find(port, peer) == nullptr;
}

Port* Ports::State::free_port(Pool& pool, const Address& peer, unsigned below, std::size_t not_of_last) {
  const std::size_t all = pool.ports.size();
  while (pool.fills < all && pool.ports[pool.fills]->used >= limits.peers_per_port)
    ++pool.fills;
  if (pool.fills >= all) pool.fills = 0;
  for (std::size_t looked = 0; looked < all; ++looked) {
    Port& port = *pool.ports[(pool.fills + looked) % all];
    if (port.used < below && free_for(port, peer, not_of_last)) return &port;
  }
  return nullptr;
}

// Clients share a port until it is full: the more of them, the more of their packets come and leave in one
// system call. One client moves on with every transfer, because late packets of its last ones may still come.
// When no port can be added those that are there have to do.
Port* Ports::State::choose(Pool& pool, const Address& peer, int& error) {
  constexpr unsigned any = std::numeric_limits<unsigned>::max();
  if (Port* port = free_port(pool, peer, limits.peers_per_port, LastPorts::remembered)) return port;
  if (pool.ports.size() < pool.wanted_ports())
    if (Port* added = add_port(pool, error)) return added;
  const bool full = error != 0;
  if (Port* port = free_port(pool, peer, any, 1)) return port;
  return full ? nullptr : add_port(pool, error);
}

Place* Ports::State::take(const Address& local, const Address& peer, int& error) {
  Pool& pool = pool_of(local);
  Port* port = choose(pool, peer, error);
  if (port == nullptr) return nullptr;
  Place* place = peers.add(*port, peer);
  last_ports.remember(peer, port->address.port());
  ++port->used;
  ++pool.sessions;
  return place;
}

void Ports::State::give_back(Place& place) noexcept {
  Port& port = *place.port;
  peers.remove(place);
  if (port.pool == nullptr) return;
  --port.used;
  if (--port.pool->sessions == 0) port.pool->idle_since = loop->now();
}

void Ports::State::retire(std::unique_ptr<Port> port) {
  if (!port) return;
  port->retired = true;
  port->watch.close();
  if (in_callback) retired.push_back(std::move(port));
}

Pool& Ports::State::pool_of(const Address& local) {
  const Address key = local.with_port(0);
  const auto [found, added] = pools.try_emplace(key);
  if (added) found->second = Pool{.owner = this, .local = key, .ports = {}, .idle_since = loop->now()};
  if (!tidying.is_set()) deadlines->set_after(tidying, tidy_interval);
  return found->second;
}

void Ports::State::tidy() {
  for (auto& [local, pool] : pools) {
    for (std::size_t at = pool.ports.size(); at-- > 0 && pool.ports.size() > pool.wanted_ports();) {
      if (pool.ports[at]->used != 0) continue;
      std::swap(pool.ports[at], pool.ports.back());
      pool.ports.pop_back();
    }
  }
  const TimePoint now = loop->now();
  std::erase_if(pools, [&](const auto& entry) {
    return entry.second.sessions == 0 && now - entry.second.idle_since >= limits.address_idle;
  });
  peers.tidy();
  path_mtus.tidy(now);
  if (!pools.empty()) deadlines->set_after(tidying, tidy_interval);
}

Ports::Ports(Loop& loop, Deadlines& deadlines, ReceiveBatch& batch, OnStranger on_stranger, PortLimits limits)
    : state_{std::make_unique<State>(loop, deadlines, batch, std::move(on_stranger), limits)} {}

Ports::~Ports() = default;

Ports::Counters Ports::counters() const noexcept {
  Counters result{
      .opened = state_->opened, .strangers = state_->strangers, .ports = 0, .addresses = 0, .sessions = 0};
  result.sessions = state_->peers.size();
  result.addresses = state_->pools.size();
  for (const auto& [local, pool] : state_->pools)
    result.ports += pool.ports.size();
  return result;
}

void Ports::tidy() {
  state_->tidy();
}

void Ports::State::gather(bool on) noexcept {
  gathering = on;
  if (!on) outbox.flush(writer);
}

void Ports::gather(bool on) noexcept {
  state_->gather(on);
}

BurstWriter& Ports::burst_writer() noexcept {
  return state_->writer;
}

}  // namespace tftpkit::loop
