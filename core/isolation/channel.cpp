#include "isolation/channel.hpp"

#include "isolation/message.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace tftpkit::isolation {

namespace {

constexpr std::size_t most_descriptors = 2;
constexpr int socket_buffer = 1 << 20;  // as much of it as the system allows

struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> bytes{};
};

ssize_t send_once(int fd, std::span<const std::byte> bytes, std::span<const int> descriptors) noexcept {
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  Control control;
  if (!descriptors.empty()) {
    head.msg_control = control.bytes.data();
    head.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do
    sent = ::sendmsg(fd, &head, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent;
}

std::vector<host::UniqueFd> descriptors_of(msghdr& head) {
  std::vector<host::UniqueFd> found;
  for (cmsghdr* one = CMSG_FIRSTHDR(&head); one != nullptr; one = CMSG_NXTHDR(&head, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof(int), sizeof fd);
      found.emplace_back(fd);
    }
  }
  return found;
}

}  // namespace

Channel::Channel(host::UniqueFd socket) : socket_{std::move(socket)}, buffer_(longest_message) {
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
}

std::pair<host::UniqueFd, host::UniqueFd> Channel::pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  return {host::UniqueFd(ends[0]), host::UniqueFd(ends[1])};
}

// ETOOMANYREFS: too many descriptors are under way; the other side is about to take them.
SendResult Channel::send(std::span<const std::byte> bytes, std::span<const int> descriptors) const noexcept {
  if (send_once(socket_.get(), bytes, descriptors) >= 0) return SendResult::sent;
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS;
  return later ? SendResult::full : SendResult::ended;
}

bool Channel::send_waiting(std::span<const std::byte> bytes,
                           std::span<const int> descriptors) const noexcept {
  for (;;) {
    const SendResult result = send(bytes, descriptors);
    if (result != SendResult::full) return result == SendResult::sent;
    pollfd room{socket_.get(), POLLOUT, 0};
    ::poll(&room, 1, 10);
  }
}

Received Channel::receive() {
  iovec part{buffer_.data(), buffer_.size()};
  Control control;
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control.bytes.data();
  head.msg_controllen = control.bytes.size();
  ssize_t size = 0;
  do
    size = ::recvmsg(socket_.get(), &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  Received received;
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) received.kind = Received::Kind::nothing_yet;
  if (size <= 0) return received;
  received.descriptors = descriptors_of(head);
  received.kind =
      (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? Received::Kind::too_long : Received::Kind::message;
  received.bytes = std::span{buffer_}.first(static_cast<std::size_t>(size));
  return received;
}

}  // namespace tftpkit::isolation
