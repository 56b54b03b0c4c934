#include "loop/handed_over.hpp"

#include "loop/sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace tftpkit::loop {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr int most_descriptors = 4096;

// The variable's value, which is gone then. -1: none, or no number.
int taken_number(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return -1;
  const std::string_view text = value;
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && number >= 0;
  ::unsetenv(name);
  return whole ? number : -1;
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

[[noreturn]] void fail(int fd, const std::string& what) {
  throw std::runtime_error("descriptor " + std::to_string(fd) + ", handed over by LISTEN_FDS, " + what);
}

Address checked_address(int fd) {
  const int type = option(fd, SOL_SOCKET, SO_TYPE);
  if (type != SOCK_DGRAM)
    fail(fd, std::string(type < 0 ? "is no socket" : "is no UDP socket") +
                 "; write ListenDatagram= in the socket unit");
  const Address address = bound_address(fd);
  if (!address.is_v4() && !address.is_v6()) fail(fd, "is no socket for IPv4 or IPv6");
  if (address.port() == 0) fail(fd, "is not bound to a port");
  if (address.is_v6() && address.is_unspecified() && option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0)
    fail(fd, "takes IPv4 too; write BindIPv6Only=ipv6-only and a ListenDatagram=0.0.0.0:" +
                 std::to_string(address.port()) + " into the socket unit");
  return address;
}

void add_until(ClaimedPort& port, unsigned workers) {
  while (port.sockets.size() < workers) {
    Fd next = listening_socket(port.address.family());
    if (!next || !share_port(next.get()) || !bind_to(next.get(), port.address)) return;
    port.sockets.push_back(std::move(next));
  }
}

}  // namespace

std::vector<Fd> take_handed_over() {
  const bool given = std::getenv("LISTEN_FDS") != nullptr;
  const int pid = taken_number("LISTEN_PID");
  const int count = taken_number("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  if (!given || pid != ::getpid()) return {};
  if (count < 0 || count > most_descriptors)
    throw std::runtime_error("LISTEN_FDS is no number of descriptors");
  std::vector<Fd> sockets;
  for (int fd = first_descriptor; fd < first_descriptor + count; ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) fail(fd, "is not open");
    sockets.emplace_back(fd);
  }
  return sockets;
}

std::vector<ClaimedPort> claim_handed_over(std::vector<Fd> sockets, unsigned workers) {
  std::vector<ClaimedPort> ports;
  for (Fd& socket : sockets) {
    const Address address = checked_address(socket.get());
    if (!prepare_listening(socket.get(), address.family()) || !share_port(socket.get()))
      fail(socket.get(), "cannot be made ready for listening");
    auto port = std::ranges::find(ports, address, &ClaimedPort::address);
    if (port == ports.end()) port = ports.insert(ports.end(), ClaimedPort{address, {}});
    port->sockets.push_back(std::move(socket));
  }
  for (ClaimedPort& port : ports)
    add_until(port, workers);
  return ports;
}

}  // namespace tftpkit::loop
