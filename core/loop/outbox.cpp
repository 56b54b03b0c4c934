#include "loop/outbox.hpp"

#include "loop/errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tftpkit::loop {
namespace {

constexpr int tries_after_icmp_errors = 4;  // each takes away one call; they are in the error queue as well

// The socket takes nothing at the moment, whoever it is for.
bool is_full(int error) noexcept {
  const SendStatus status = send_status(error);
  return status == SendStatus::would_block || status == SendStatus::no_buffers;
}

}  // namespace

struct Outbox::Datagrams {
  std::array<mmsghdr, capacity> messages{};
  std::array<iovec, capacity> parts{};
  std::array<sockaddr_storage, capacity> names{};
  std::array<std::array<std::byte, datagram_bytes>, capacity> bytes{};
};

Outbox::Outbox() : datagrams_{std::make_unique<Datagrams>()} {
  for (std::size_t at = 0; at < capacity; ++at) {
    datagrams_->parts[at].iov_base = datagrams_->bytes[at].data();
    msghdr& header = datagrams_->messages[at].msg_hdr;
    header.msg_iov = &datagrams_->parts[at];
    header.msg_iovlen = 1;
    header.msg_name = &datagrams_->names[at];
  }
}

Outbox::~Outbox() = default;

// Where the bytes of one more datagram go; null when it has no place.
std::byte* Outbox::add(int fd, const Address& peer, std::size_t size) noexcept {
  if (used_ == capacity || size > datagram_bytes || (used_ > 0 && fd_ != fd)) return nullptr;
  fd_ = fd;
  datagrams_->parts[used_].iov_len = size;
  datagrams_->messages[used_].msg_hdr.msg_namelen = peer.to_sockaddr(datagrams_->names[used_]);
  return datagrams_->bytes[used_++].data();
}

bool Outbox::put(int fd, const Address& peer, const Segment& segment) noexcept {
  std::byte* to = add(fd, peer, segment.size());
  if (to == nullptr) return false;
  to = std::copy(segment.head.begin(), segment.head.end(), to);
  for (const auto& part : segment.body)
    to = std::copy(part.begin(), part.end(), to);
  return true;
}

bool Outbox::put(int fd, const Address& peer, std::span<const std::byte> datagram) noexcept {
  std::byte* to = add(fd, peer, datagram.size());
  if (to != nullptr) std::copy(datagram.begin(), datagram.end(), to);
  return to != nullptr;
}

void Outbox::flush(BurstWriter& writer) noexcept {
  std::size_t sent = 0;
  for (int tries = 0; sent < used_ && tries < tries_after_icmp_errors;) {
    const int taken = ::sendmmsg(fd_, datagrams_->messages.data() + sent, static_cast<unsigned>(used_ - sent),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    writer.count_call();
    if (taken >= 0) {
      for (const std::size_t end = sent + static_cast<std::size_t>(taken); sent < end; ++sent)
        writer.count_datagram(datagrams_->parts[sent].iov_len);
    } else if (errno == ECONNREFUSED || errno == EINTR) {
      ++tries;
    } else if (is_full(errno)) {
      break;
    } else {
      ++sent;  // this one cannot leave (a firewall, no route): those behind it may
    }
  }
  used_ = 0;
}

}  // namespace tftpkit::loop
