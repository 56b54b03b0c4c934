#include "loop/ports_state.hpp"
#include "loop/sockets.hpp"

#include <algorithm>
#include <cerrno>

namespace tftpkit::loop {
namespace {

constexpr std::chrono::seconds tidy_interval{5};

}  // namespace

int StrangerReply::operator()(std::span<const std::byte> bytes) const noexcept {
  return send_datagram(fd_, datagram_->peer, datagram_->local, bytes);
}

PortLease& PortLease::operator=(PortLease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  port_ = std::exchange(other.port_, nullptr);
  place_ = other.place_;
  return *this;
}

void PortLease::give_back() noexcept {
  if (Port* port = std::exchange(port_, nullptr)) port->release(place_);
}

const Address& PortLease::address() const noexcept {
  return port_->address;
}

bool Port::serves(const Address& peer) const noexcept {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

std::optional<unsigned> Port::take_place(const Address& peer, unsigned most) noexcept {
  if (used >= most || serves(peer)) return std::nullopt;
  const auto free = std::find(peers.begin(), peers.end(), Address{});
  *free = peer;
  ++used;
  ++pool->sessions;
  ++pool->owner->sessions;
  return static_cast<unsigned>(free - peers.begin());
}

void Port::release(unsigned place) noexcept {
  peers[place] = Address{};
  --used;
  --pool->owner->sessions;
  if (--pool->sessions == 0) pool->idle_since = pool->owner->loop->now();
}

// The catcher binds exclusively, so the kernel picks a port that nobody has; only then it lets the
// connected sockets in (SO_REUSEPORT: this user's alone, and never a stray bind to port 0).
std::unique_ptr<Port> Ports::State::open_port(Pool& pool, int& error) {
  Fd catcher = udp_socket(pool.local.family());
  if (!catcher || !bind_to(catcher.get(), pool.local) || !share_port(catcher.get())) {
    error = errno;
    return nullptr;
  }
  auto port = std::make_unique<Port>();
  port->pool = &pool;
  port->address = pool.local.with_port(bound_address(catcher.get()).port());
  port->catcher = std::move(catcher);
  port->watch = FdWatch{*loop, port->catcher.get(), FdWatch::Want::read,
                        [this, raw = port.get()](Ready) { on_catcher(*raw); }};
  return port;
}

// One batch a turn. Ports are closed in tidy() only, so `port` outlives the callbacks.
void Ports::State::on_catcher(Port& port) {
  const int count = batch->receive(port.catcher.get());
  for (int index = 0; index < count; ++index) {
    const Datagram datagram = batch->at(static_cast<unsigned>(index), port.address);
    if (port.serves(datagram.peer)) continue;  // queued here before its socket was connected
    stranger(port.catcher.get(), datagram);
  }
}

void Ports::State::stranger(int fd, const Datagram& datagram) {
  ++strangers;
  on_stranger(datagram, StrangerReply{fd, datagram});
}

// Idle: a few ports to rotate through. Busy: one per transfer up to ports_busy, then ports are shared
// and filled to three quarters, so that the search for a free place stays short.
std::size_t Pool::wanted_ports() const noexcept {
  const PortLimits& limits = owner->limits;
  const std::size_t spread = std::min<std::size_t>(limits.ports_busy, sessions + limits.ports_idle);
  return std::max(spread, sessions * 4 / (std::size_t{3} * limits.peers_per_port));
}

Port* Ports::State::add_port(Pool& pool, int& error) {
  auto port = open_port(pool, error);
  if (!port) return nullptr;
  pool.ports.push_back(std::move(port));
  return pool.ports.back().get();
}

PortLease Ports::State::take(Pool& pool, const Address& peer, int& error) {
  const auto lease = [&](Port& port) {
    const auto place = port.take_place(peer, limits.peers_per_port);
    return place ? PortLease{&port, *place} : PortLease{};
  };
  if (pool.ports.size() < pool.wanted_ports())
    if (Port* port = add_port(pool, error)) return lease(*port);
  for (std::size_t looked = 0; looked < pool.ports.size(); ++looked) {
    pool.next = (pool.next + 1) % pool.ports.size();
    if (PortLease found = lease(*pool.ports[pool.next])) return found;
  }
  Port* port = add_port(pool, error);
  return port == nullptr ? PortLease{} : lease(*port);
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
  if (!pools.empty()) deadlines->set_after(tidying, tidy_interval);
}

Ports::Ports(Loop& loop, Deadlines& deadlines, ReceiveBatch& batch, OnStranger on_stranger, PortLimits limits)
    : state_{std::make_unique<State>(loop, deadlines, batch, std::move(on_stranger), limits)} {}

Ports::~Ports() = default;

Ports::Counters Ports::counters() const noexcept {
  Counters result{
      .opened = state_->opened, .strangers = state_->strangers, .ports = 0, .addresses = 0, .sessions = 0};
  result.sessions = state_->sessions;
  result.addresses = state_->pools.size();
  for (const auto& [local, pool] : state_->pools)
    result.ports += pool.ports.size();
  return result;
}

void Ports::tidy() {
  state_->tidy();
}

BurstWriter& Ports::burst_writer() noexcept {
  return state_->writer;
}

Loop& Ports::loop() noexcept {
  return *state_->loop;
}

}  // namespace tftpkit::loop
