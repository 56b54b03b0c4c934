#include "sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <unistd.h>
#include <utility>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace load {

Socket::Socket() : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
  if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "no socket for a client"};
  const int on = 1;
  const int bytes = 4 << 20;
  ::setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

Socket::Socket(Socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

void Socket::bind(in_addr_t host) const {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(host);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    throw std::system_error{errno, std::generic_category(), "no port for a client"};
}

void Socket::send(std::span<const std::byte> bytes, const sockaddr_in& to) const noexcept {
  (void)::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

Inbox::Inbox() {
  for (unsigned i = 0; i < capacity; ++i) {
    buffers_.push_back(std::make_unique<std::byte[]>(buffer_bytes));
    parts_[i] = {buffers_[i].get(), buffer_bytes};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_name = &names_[i];
    header.msg_control = controls_[i].data();
  }
  count_ = capacity;
}

bool Inbox::receive(const Socket& socket) {
  for (unsigned i = 0; i < count_; ++i) {
    messages_[i].msg_hdr.msg_namelen = sizeof names_[i];
    messages_[i].msg_hdr.msg_controllen = controls_[i].size();
  }
  const int got = ::recvmmsg(socket.fd(), messages_.data(), capacity, MSG_DONTWAIT, nullptr);
  count_ = static_cast<unsigned>(std::max(got, 0));
  return count_ == capacity;
}

std::size_t Inbox::piece_bytes(const mmsghdr& message) noexcept {
  auto* header = const_cast<msghdr*>(&message.msg_hdr);  // CMSG_NXTHDR takes no const
  for (cmsghdr* at = CMSG_FIRSTHDR(header); at != nullptr; at = CMSG_NXTHDR(header, at)) {
    if (at->cmsg_level != IPPROTO_UDP || at->cmsg_type != UDP_GRO) continue;
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(at), sizeof bytes);
    return static_cast<std::size_t>(std::max(bytes, 0));
  }
  return 0;
}

}  // namespace load
