#include "loop/datagram.hpp"

#include "loop/packet_info.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace tftpkit::loop {

struct ReceiveBatch::Buffers {
  std::array<mmsghdr, capacity> messages{};
  std::array<iovec, capacity> parts{};
  std::array<sockaddr_in6, capacity> names{};  // the larger of the two families
  std::array<ControlBuffer, capacity> controls{};
  std::array<std::array<std::byte, datagram_bytes>, capacity> bytes{};
  unsigned used = capacity;  // entries that the kernel wrote lengths into
};

namespace {

// An ICMP error about one peer makes a call fail as well; it is in the error queue too.
bool is_about_a_peer(int error) noexcept {
  switch (error) {
  case ECONNREFUSED:
  case EHOSTUNREACH:
  case ENETUNREACH:
  case EHOSTDOWN:
  case EACCES:
  case EMSGSIZE:
  case EOPNOTSUPP:
  case EPROTO:
  case ENOPROTOOPT: return true;
  default: return false;
  }
}

}  // namespace

ReceiveBatch::ReceiveBatch(OnError on_error)
    : buffers_{std::make_unique<Buffers>()}, on_error_{std::move(on_error)} {
  for (unsigned index = 0; index < capacity; ++index) {
    buffers_->parts[index] = {buffers_->bytes[index].data(), datagram_bytes};
    msghdr& header = buffers_->messages[index].msg_hdr;
    header.msg_iov = &buffers_->parts[index];
    header.msg_iovlen = 1;
    header.msg_name = &buffers_->names[index];
    header.msg_control = &buffers_->controls[index];
  }
}

ReceiveBatch::~ReceiveBatch() = default;

int ReceiveBatch::receive(int fd) noexcept {
  for (unsigned index = 0; index < buffers_->used; ++index) {
    msghdr& header = buffers_->messages[index].msg_hdr;
    header.msg_namelen = sizeof buffers_->names[index];
    header.msg_controllen = sizeof buffers_->controls[index].bytes;
  }
  const int count = ::recvmmsg(fd, buffers_->messages.data(), capacity, MSG_DONTWAIT, nullptr);
  const int error = errno;
  buffers_->used = static_cast<unsigned>(std::max(count, 0));
  if (count >= 0) return count;
  if (error == EAGAIN || error == EINTR) return 0;
  if (on_error_ && !is_about_a_peer(error)) on_error_(error);
  return -error;
}

Datagram ReceiveBatch::at(unsigned index, const Address& bound) const noexcept {
  const mmsghdr& message = buffers_->messages[index];
  const auto* name = static_cast<const sockaddr*>(message.msg_hdr.msg_name);
  const PacketInfo info = packet_info(message.msg_hdr);
  return {.bytes = {buffers_->bytes[index].data(), message.msg_len},
          .peer = Address::from_sockaddr(name, message.msg_hdr.msg_namelen),
          .local = info.local.family() == Family::none ? bound : info.local.with_port(bound.port()),
          .interface_index = info.interface_index,
          .truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0,
          .broadcast = info.broadcast};
}

int send_datagram(int fd, const Address& peer, const Address& local,
                  std::span<const std::byte> bytes) noexcept {
  sockaddr_storage name{};
  ControlBuffer control{};
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_namelen = peer.to_sockaddr(name);
  message.msg_name = &name;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  set_control(message, control, &local, 0);
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

}  // namespace tftpkit::loop
