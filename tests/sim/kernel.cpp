#include "kernel.hpp"

#include "messages.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <utility>

namespace tftpkit::sim {

namespace {

constexpr std::uint16_t first_ephemeral = 32768;
constexpr std::uint16_t last_ephemeral = 60999;
constexpr std::size_t largest_datagram = 65507;

}  // namespace

Kernel::Socket& Kernel::at(int fd) {
  return *sockets_.at(static_cast<std::size_t>(fd - first_fd));
}

const Kernel::Socket& Kernel::at(int fd) const {
  return *sockets_.at(static_cast<std::size_t>(fd - first_fd));
}

std::size_t Kernel::open_sockets() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(sockets_.begin(), sockets_.end(), [](const auto& socket) { return socket != nullptr; }));
}

int Kernel::socket(int family) {
  auto made = std::make_unique<Socket>();
  made->bound = Address::any(family == AF_INET6 ? loop::Family::v6 : loop::Family::v4, 0);
  const auto free = std::find(sockets_.begin(), sockets_.end(), nullptr);
  const auto index = free - sockets_.begin();
  if (free == sockets_.end())
    sockets_.push_back(std::move(made));
  else
    *free = std::move(made);
  return first_fd + static_cast<int>(index);
}

int Kernel::bind(int fd, const Address& address) {
  std::uint16_t port = address.port();
  while (port == 0) {
    port = static_cast<std::uint16_t>(random_.between(first_ephemeral, last_ephemeral));
    if (by_port_.contains(port)) port = 0;
  }
  Socket& socket = at(fd);
  socket.bound = address.with_port(port);
  by_port_[port].push_back(&socket);
  return 0;
}

int Kernel::connect(int fd, const Address& peer) {
  at(fd).peer = peer;
  return 0;
}

int Kernel::close(int fd) {
  Socket& socket = at(fd);
  if (const auto found = by_port_.find(socket.bound.port()); found != by_port_.end()) {
    std::erase(found->second, &socket);
    if (found->second.empty()) by_port_.erase(found);
  }
  sockets_[static_cast<std::size_t>(fd - first_fd)].reset();
  return 0;
}

int Kernel::listen(const Address& bound) {
  const int fd = socket(bound.is_v6() ? AF_INET6 : AF_INET);
  bind(fd, bound);
  at(fd).packet_info = true;
  return fd;
}

void Kernel::queue_errors(int fd) {
  at(fd).errors_queued = true;
}

Address Kernel::name(int fd) const {
  return at(fd).bound;
}

int Kernel::path_mtu(int fd) const {
  return static_cast<int>(mtu_to(at(fd).peer));
}

Kernel::Readiness Kernel::ready(int fd) const {
  const Socket& socket = at(fd);
  return {.readable = !socket.in.empty(),
          .writable = faults.send_room == 0 || socket.leaving * 2 <= faults.send_room,
          .error = socket.error != 0 || !socket.refused.empty()};
}

// The socket bound to the very address, else the one bound to all of them.
Kernel::Socket* Kernel::receiver(const Address& to) {
  const auto found = by_port_.find(to.port());
  if (found == by_port_.end()) return nullptr;
  Socket* any = nullptr;
  for (Socket* socket : found->second) {
    if (socket->bound == to) return socket;
    if (socket->bound.is_unspecified() && socket->bound.family() == to.family()) any = socket;
  }
  return any;
}

void Kernel::arrive(Packet packet) {
  Socket* socket = receiver(packet.to);
  if (socket == nullptr) return;
  if (packet.broadcast && !socket->bound.is_unspecified()) return;
  if (socket->in.size() >= faults.receive_room) return on_overflow(packet);
  socket->in.push_back(std::move(packet));
}

void Kernel::refused(const Address& local, const Address& peer) {
  Socket* socket = receiver(local);
  if (socket == nullptr || !socket->errors_queued) return;
  socket->error = ECONNREFUSED;
  socket->refused.push_back(peer);
}

int Kernel::receive(int fd, std::span<mmsghdr> into) {
  Socket& socket = at(fd);
  on_batch();
  if (socket.error != 0) return -std::exchange(socket.error, 0);
  if (socket.in.empty()) return -EAGAIN;
  int count = 0;
  for (; static_cast<std::size_t>(count) < into.size() && !socket.in.empty(); ++count) {
    const Packet packet = std::move(socket.in.front());
    socket.in.pop_front();
    write_message(into[static_cast<std::size_t>(count)], packet, socket.packet_info);
    on_read(packet);
  }
  return count;
}

// ip(7): reading the queue also takes away the error that the next call would have met.
int Kernel::receive_error(int fd, msghdr& into) {
  Socket& socket = at(fd);
  if (socket.refused.empty()) return -EAGAIN;
  const Address peer = socket.refused.front();
  socket.refused.pop_front();
  socket.error = socket.refused.empty() ? 0 : ECONNREFUSED;
  write_error_message(into, peer, ECONNREFUSED);
  return 0;
}

Address Kernel::source_of(const Socket& socket, const Address& wanted) const {
  if (wanted.family() != loop::Family::none) return wanted.with_port(socket.bound.port());
  if (!socket.bound.is_unspecified()) return socket.bound;
  const auto found = std::find_if(own.begin(), own.end(), [&](const Address& address) {
    return address.family() == socket.bound.family();
  });
  return found->with_port(socket.bound.port());
}

int Kernel::send_fault(Socket& socket, bool gso) {
  if (socket.error != 0) return std::exchange(socket.error, 0);
  if (gso && !faults.gso) return EIO;
  if (faults.send_room != 0 && socket.leaving >= faults.send_room) return EAGAIN;
  if (faults.no_buffers > 0 && random_.chance(faults.no_buffers)) return ENOBUFS;
  if (faults.unreachable > 0 && random_.chance(faults.unreachable)) return ENETUNREACH;
  return 0;
}

void Kernel::leave(int fd, Packet packet) {
  if (faults.send_room != 0) {
    Socket& socket = at(fd);
    ++socket.leaving;
    const auto done = faults.per_packet * static_cast<std::int64_t>(socket.leaving);
    timeline_.after(done, [this, fd, leaving = &socket] {
      const auto index = static_cast<std::size_t>(fd - first_fd);
      if (sockets_[index].get() == leaving) --leaving->leaving;
    });
  }
  on_sent(std::move(packet));
}

int Kernel::send(int fd, const msghdr& message) {
  Socket& socket = at(fd);
  const SendOptions options = send_options(message);
  if (const int fault = send_fault(socket, options.segment != 0)) return -fault;
  const std::vector<std::byte> bytes = gathered(message);
  if (bytes.size() > largest_datagram) return -EMSGSIZE;
  const Address to = message.msg_name == nullptr ? socket.peer : destination(message);
  const Address from = source_of(socket, options.source);
  const std::size_t piece = options.segment == 0 ? std::max<std::size_t>(bytes.size(), 1) : options.segment;
  for (std::size_t start = 0; start == 0 || start < bytes.size(); start += piece) {
    const std::size_t end = std::min(bytes.size(), start + piece);
    leave(fd, {from,
               to,
               {bytes.begin() + static_cast<std::ptrdiff_t>(start),
                bytes.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
  return static_cast<int>(bytes.size());
}

}  // namespace tftpkit::sim
