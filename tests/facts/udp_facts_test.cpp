// What we rely on from Linux UDP, on loopback, with nothing of ours in between. One case per fact; the
// comment says who relies on it.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace {

struct Socket {
  explicit Socket(int family = AF_INET) : fd{::socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
    REQUIRE(fd >= 0);
  }
  Socket(Socket&& other) noexcept : fd{std::exchange(other.fd, -1)} {}
  Socket(const Socket&) = delete;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
  void set(int option) const {
    const int on = 1;
    REQUIRE(::setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0);
  }
  // 0 or errno
  int bind(std::uint16_t port, const char* ip = "127.0.0.1") const { return name(ip, port, ::bind); }
  int connect(std::uint16_t port, const char* ip = "127.0.0.1") const { return name(ip, port, ::connect); }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in in{};
    socklen_t length = sizeof in;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &length) == 0);
    return ntohs(in.sin_port);
  }
  void send_to(std::uint16_t port) const {
    sockaddr_in in = ip4("127.0.0.1", port);
    REQUIRE(::sendto(fd, "x", 1, 0, reinterpret_cast<sockaddr*>(&in), sizeof in) == 1);
  }
  [[nodiscard]] int waiting() const {
    int count = 0;
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) >= 0)
      ++count;
    return count;
  }
  int fd;

 private:
  static sockaddr_in ip4(const char* ip, std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    inet_pton(AF_INET, ip, &in.sin_addr);
    return in;
  }
  template <class Call>
  int name(const char* ip, std::uint16_t port, Call call) const {
    const sockaddr_in in = ip4(ip, port);
    return call(fd, reinterpret_cast<const sockaddr*>(&in), sizeof in) == 0 ? 0 : errno;
  }
};

Socket bound(std::uint16_t port = 0) {
  Socket socket;
  REQUIRE(socket.bind(port) == 0);
  return socket;
}

Socket sharing(std::uint16_t port) {
  Socket socket;
  socket.set(SO_REUSEPORT);
  REQUIRE(socket.bind(port) == 0);
  return socket;
}

// 0 or errno of one GSO send.
int send_gso(const Socket& from, std::size_t bytes, std::uint16_t segment) {
  std::vector<char> data(bytes, 'x');
  iovec part{data.data(), data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof segment)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
  return ::sendmsg(from.fd, &message, 0) < 0 ? errno : 0;
}

}  // namespace

// loop/claim: the exclusive bind is the probe, the workers join afterwards.
TEST_CASE("SO_REUSEPORT set after bind lets later sockets in, and only then") {
  const Socket first = bound();
  Socket early;
  early.set(SO_REUSEPORT);
  CHECK(early.bind(first.port()) == EADDRINUSE);
  first.set(SO_REUSEPORT);
  CHECK(early.bind(first.port()) == 0);
}

// loop/claim, loop/ports: a foreign program gets in neither by itself nor by libuv's habit.
TEST_CASE("a port shared by SO_REUSEPORT refuses plain sockets, SO_REUSEADDR sockets and the wildcard") {
  const Socket first = bound();
  first.set(SO_REUSEPORT);
  const Socket second = sharing(first.port());
  CHECK(Socket{}.bind(first.port()) == EADDRINUSE);
  CHECK(Socket{}.bind(first.port(), "0.0.0.0") == EADDRINUSE);
  const Socket reuse_address;
  reuse_address.set(SO_REUSEADDR);
  CHECK(reuse_address.bind(first.port()) == EADDRINUSE);
}

// loop/ports: the reason for SO_REUSEPORT and against SO_REUSEADDR there.
TEST_CASE("a port shared by SO_REUSEADDR is open to every program that sets it") {
  const Socket first = bound();
  first.set(SO_REUSEADDR);
  const Socket foreign;
  foreign.set(SO_REUSEADDR);
  CHECK(foreign.bind(first.port()) == 0);
}

// loop/ports: this is how strangers are found.
TEST_CASE("a connected socket gets its peer's packets, the unconnected one on its port all others") {
  const Socket catcher = bound();
  catcher.set(SO_REUSEPORT);
  std::vector<Socket> peers, connected;
  for (int count = 0; count < 4; ++count) {
    peers.push_back(bound());
    connected.push_back(sharing(catcher.port()));
    REQUIRE(connected.back().connect(peers.back().port()) == 0);
  }
  for (int round = 0; round < 50; ++round) {
    for (const Socket& peer : peers)
      peer.send_to(catcher.port());
    const Socket stranger = bound();
    stranger.send_to(catcher.port());
  }
  CHECK(catcher.waiting() == 50);
  for (const Socket& socket : connected)
    CHECK(socket.waiting() == 50);
}

// loop/ports: when the connected socket closes, late packets of its peer count as strangers'.
TEST_CASE("after a connected socket is closed its peer's packets reach the unconnected one") {
  const Socket catcher = bound(), peer = bound();
  catcher.set(SO_REUSEPORT);
  {
    const Socket session = sharing(catcher.port());
    REQUIRE(session.connect(peer.port()) == 0);
    peer.send_to(catcher.port());
    CHECK(session.waiting() == 1);
  }
  peer.send_to(catcher.port());
  CHECK(catcher.waiting() == 1);
}

// loop/ports hands a port to two sockets with different peers only.
TEST_CASE("the kernel does not refuse a second socket with the same port and peer") {
  const Socket first = bound(), peer = bound();
  first.set(SO_REUSEPORT);
  const Socket a = sharing(first.port()), b = sharing(first.port());
  CHECK(a.connect(peer.port()) == 0);
  CHECK(b.connect(peer.port()) == 0);
}

// loop/peer_socket looks at the source even on a connected socket.
TEST_CASE("a packet queued between bind and connect stays, whoever sent it") {
  const Socket session = bound(), peer = bound(), stranger = bound();
  stranger.send_to(session.port());
  REQUIRE(session.connect(peer.port()) == 0);
  stranger.send_to(session.port());
  CHECK(session.waiting() == 1);
}

// loop/peer_socket: refused is an outcome, and one call takes it away.
TEST_CASE("a closed peer is ECONNREFUSED on the next call, once") {
  const Socket session = bound();
  std::uint16_t gone = 0;
  {
    const Socket peer = bound();
    gone = peer.port();
  }
  REQUIRE(session.connect(gone) == 0);
  CHECK(::send(session.fd, "x", 1, 0) == 1);
  char byte = 0;
  CHECK(::recv(session.fd, &byte, 1, 0) == -1);
  CHECK(errno == ECONNREFUSED);
  CHECK(::recv(session.fd, &byte, 1, 0) == -1);
  CHECK(errno == EAGAIN);
}

// loop/burst: the limits that it keeps to.
TEST_CASE("one GSO send takes 64 segments and 65,507 bytes, and refuses what is more or oversized") {
  const Socket receiver = bound(), sender = bound();
  REQUIRE(sender.connect(receiver.port()) == 0);
  CHECK(send_gso(sender, 64 * 1000, 1000) == 0);
  CHECK(receiver.waiting() == 64);
  CHECK(send_gso(sender, 63 * 1000 + 1, 1000) == 0);
  CHECK(receiver.waiting() == 64);
  CHECK(send_gso(sender, 65507, 1472) == 0);
  CHECK(receiver.waiting() == 45);
  CHECK(send_gso(sender, 65508, 1472) == EMSGSIZE);
  CHECK(send_gso(sender, 300 * 10, 10) == EINVAL);
  const int off = 1;
  REQUIRE(::setsockopt(sender.fd, SOL_SOCKET, SO_NO_CHECK, &off, sizeof off) == 0);
  CHECK(send_gso(sender, 2000, 1000) == EINVAL);
}
