#include "loop/peer_socket.hpp"

#include "loop/errors.hpp"
#include "loop/ports_state.hpp"
#include "loop/sockets.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <system_error>

namespace tftpkit::loop {
namespace {

// A flood of strangers on an unconnected socket gets this many answers before the loop has its turn.
constexpr int strangers_per_receive = 64;
constexpr int bind_attempts = 3;

std::uint32_t connected_mtu(int fd, Family family) noexcept {
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool v6 = family == Family::v6;
  const int failed = ::getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &length);
  return failed != 0 || mtu < 0 ? 0 : static_cast<std::uint32_t>(mtu);
}

// The kernel tells the path MTU of connected sockets only.
std::uint32_t mtu_towards(const Address& local, const Address& peer) noexcept {
  const Fd probe = udp_socket(peer.family());
  if (!probe || !bind_to(probe.get(), local.with_port(0)) || !connect_to(probe.get(), peer)) return 0;
  return connected_mtu(probe.get(), peer.family());
}

Fd connected_socket(const Address& local, const Address& peer, int& error) noexcept {
  Fd socket = udp_socket(local.family());
  if (socket && share_port(socket.get()) && bind_to(socket.get(), local) && connect_to(socket.get(), peer))
    return socket;
  error = errno;
  return {};
}

}  // namespace

std::optional<PeerSocket> PeerSocket::open(Ports& ports, const Address& local, const Address& peer,
                                           bool broadcast, int& error) {
  error = local.family() == peer.family() && peer.port() != 0 ? 0 : EINVAL;
  if (error != 0) return std::nullopt;
  // Linux has broadcast in IPv4 only; an answer to an IPv6 multicast is an ordinary conversation.
  auto opened = broadcast && peer.is_v4() ? open_unconnected(ports, local, peer, error)
                                          : open_connected(ports, local, peer, error);
  if (opened) ++ports.state_->opened;
  return opened;
}

std::optional<PeerSocket> PeerSocket::open_connected(Ports& ports, const Address& local, const Address& peer,
                                                     int& error) {
  Pool& pool = ports.state_->pool_of(local);
  for (int attempt = 0; attempt < bind_attempts; ++attempt) {
    PortLease lease = ports.state_->take(pool, peer, error);
    if (!lease) return std::nullopt;
    const Address address = lease.address();
    Fd socket = connected_socket(address, peer, error);
    if (socket) {
      PeerSocket result{ports, std::move(lease), std::move(socket), address, peer, false};
      result.path_mtu_ = connected_mtu(result.socket_.get(), peer.family());
      return result;
    }
    if (error != EADDRINUSE) break;
  }
  return std::nullopt;
}

// Broadcast packets reach wildcard sockets only; strangers are told apart in receive().
std::optional<PeerSocket> PeerSocket::open_unconnected(Ports& ports, const Address& local,
                                                       const Address& peer, int& error) {
  Fd socket = udp_socket(local.family());
  if (!socket || !bind_to(socket.get(), Address::any(local.family(), 0))) {
    error = errno;
    return std::nullopt;
  }
  const Address address = local.with_port(bound_address(socket.get()).port());
  PeerSocket result{ports, PortLease{}, std::move(socket), address, peer, true};
  result.path_mtu_ = mtu_towards(local, peer);
  return result;
}

PeerSocket::PeerSocket(Ports& ports, PortLease lease, Fd socket, const Address& local, const Address& peer,
                       bool broadcast)
    : ports_{&ports}, lease_{std::move(lease)}, socket_{std::move(socket)}, peer_{peer}, local_{local},
      broadcast_{broadcast} {}

// The watch first, then the descriptor, then the port: members would be moved in another order.
PeerSocket& PeerSocket::operator=(PeerSocket&& other) noexcept {
  if (this == &other) return *this;
  watch_.close();
  socket_ = std::move(other.socket_);
  lease_ = std::move(other.lease_);
  watch_ = std::move(other.watch_);
  ports_ = other.ports_;
  peer_ = other.peer_;
  local_ = other.local_;
  path_mtu_ = other.path_mtu_;
  broadcast_ = other.broadcast_;
  gso_ = other.gso_;
  return *this;
}

int PeerSocket::watch(std::function<void(Ready)> on_ready) {
  watch_.close();
  try {
    watch_ = FdWatch{ports_->loop(), socket_.get(), FdWatch::Want::read, std::move(on_ready)};
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

void PeerSocket::want_writable(bool wanted) noexcept {
  watch_.want(wanted ? FdWatch::Want::both : FdWatch::Want::read);
}

// The source is looked at even on a connected socket: between bind and connect anybody's packet may
// have been queued.
Received PeerSocket::receive(std::span<std::byte> buffer) noexcept {
  for (int strangers = 0; strangers < strangers_per_receive; ++strangers) {
    sockaddr_storage name{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (size < 0) {
      const int error = errno;
      return {.status = receive_status(error), .size = 0, .error = error};
    }
    const Address from =
        Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&name), message.msg_namelen);
    const auto bytes = static_cast<std::size_t>(size);
    if (from == peer_) return {.status = ReceiveStatus::bytes, .size = bytes, .error = 0};
    tell_stranger(from, buffer.first(bytes), (message.msg_flags & MSG_TRUNC) != 0);
  }
  return {};
}

void PeerSocket::tell_stranger(const Address& from, std::span<const std::byte> bytes,
                               bool truncated) noexcept {
  const Datagram datagram{.bytes = bytes,
                          .peer = from,
                          .local = local_,
                          .interface_index = 0,
                          .truncated = truncated,
                          .broadcast = false};
  // Through this socket: connected or not, a message may name another receiver.
  ports_->state_->stranger(socket_.get(), datagram);
}

BurstTarget PeerSocket::target() const noexcept {
  return {.fd = socket_.get(),
          .peer = broadcast_ ? &peer_ : nullptr,
          .source = broadcast_ ? &local_ : nullptr,
          .path_mtu = path_mtu_,
          .v6 = peer_.is_v6(),
          .gso = gso_};
}

Sent PeerSocket::send_burst(std::span<const Segment> segments) noexcept {
  BurstTarget to = target();
  const Sent sent = ports_->burst_writer().write(to, segments);
  gso_ = to.gso;
  return sent;
}

Sent PeerSocket::send(std::span<const std::byte> bytes) noexcept {
  return ports_->burst_writer().write(target(), bytes);
}

std::uint32_t PeerSocket::path_payload() const noexcept {
  const std::uint32_t headers = peer_.is_v6() ? 48 : 28;
  return path_mtu_ > headers ? path_mtu_ - headers : 0;
}

}  // namespace tftpkit::loop
