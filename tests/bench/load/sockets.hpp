// The client side's sockets: one datagram out, many in. UDP_GRO lets the kernel hand over a run of equal
// datagrams in one piece, so that the clients leave more of the machine to the server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <vector>

namespace load {

class Socket {
 public:
  Socket();  // throws std::system_error
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  void bind(in_addr_t host) const;  // in host order; throws std::system_error
  void send(std::span<const std::byte> bytes, const sockaddr_in& to) const noexcept;

 private:
  int fd_;
};

// The buffers of one recvmmsg; one object serves all sockets.
class Inbox {
 public:
  Inbox();

  // Reads what is there, up to the capacity. True: there may be more.
  bool receive(const Socket& socket);

  // `take(datagram, from)` for each datagram.
  template <class Take>
  void each(Take take) const {
    for (unsigned i = 0; i < count_; ++i) {
      std::span<const std::byte> rest{buffers_[i].get(), messages_[i].msg_len};
      const std::size_t piece = piece_bytes(messages_[i]);
      do {
        const auto datagram = rest.first(piece != 0 && piece < rest.size() ? piece : rest.size());
        take(datagram, names_[i]);
        rest = rest.subspan(datagram.size());
      } while (!rest.empty());
    }
  }

 private:
  static constexpr unsigned capacity = 16;
  static constexpr std::size_t buffer_bytes = 65536;
  static std::size_t piece_bytes(const mmsghdr& message) noexcept;  // 0: it is one datagram

  std::vector<std::unique_ptr<std::byte[]>> buffers_;
  std::array<mmsghdr, capacity> messages_{};
  std::array<iovec, capacity> parts_{};
  std::array<sockaddr_in, capacity> names_{};
  std::array<std::array<std::byte, 64>, capacity> controls_{};
  unsigned count_ = 0;
};

}  // namespace load
