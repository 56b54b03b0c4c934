// The other side in tests: a plain UDP socket of a client, and a way to turn a loop until something holds.
#pragma once

#include "loop/address.hpp"
#include "loop/fd.hpp"
#include "loop/loop.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace tftpkit::loop::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Address address(const char* text) {
  std::string error;
  const auto result = Address::parse(text, 0, error);
  REQUIRE_MESSAGE(result.has_value(), error);
  return *result;
}

struct Packet {
  std::string text;
  Address from;
};

class Client {
 public:
  explicit Client(const Address& local = address("127.0.0.1:0")) {
    socket_ = Fd{::socket(local.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_storage name{};
    socklen_t length = local.to_sockaddr(name);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), length) == 0);
    length = sizeof name;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &length) == 0);
    address_ = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), length);
    const int large = 4 << 20;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
  }
  [[nodiscard]] const Address& where() const { return address_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

  void send(const Address& to, std::string_view text) const {
    sockaddr_storage name{};
    const socklen_t length = to.to_sockaddr(name);
    const auto sent =
        ::sendto(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&name), length);
    REQUIRE_MESSAGE(sent == static_cast<ssize_t>(text.size()), std::strerror(errno));
  }
  // Nothing when no packet comes within `wait`.
  [[nodiscard]] std::optional<Packet> receive(std::chrono::milliseconds wait = std::chrono::seconds{
                                                  20}) const {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(wait.count())) <= 0) return std::nullopt;
    Packet packet{.text = std::string(65536, '\0'), .from = {}};
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    const auto size = ::recvfrom(socket_.get(), packet.text.data(), packet.text.size(), 0,
                                 reinterpret_cast<sockaddr*>(&name), &length);
    REQUIRE(size >= 0);
    packet.text.resize(static_cast<std::size_t>(size));
    packet.from = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), length);
    return packet;
  }

 private:
  Fd socket_;
  Address address_;
};

// Turns the loop until `holds`; fails after 20 seconds.
inline void run_until(Loop& loop, const std::function<bool()>& holds) {
  const TimePoint end = Clock::now() + std::chrono::seconds{20};
  while (!holds()) {
    if (Clock::now() > end) FAIL("20 s have passed and it still does not hold");
    loop.stop();
    loop.run();
  }
}

// Enough turns for everything that is ready now.
inline void run_turns(Loop& loop, int turns = 3) {
  while (turns-- > 0) {
    loop.stop();
    loop.run();
  }
}

}  // namespace tftpkit::loop::test
