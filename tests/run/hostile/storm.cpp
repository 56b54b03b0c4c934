// storm: as many hostile datagrams as asked for, in batches: noise, broken and odd requests, packets of every
// kind for other people's transfers. Reproducible by its seed. Reads nothing and waits for nobody; tests/run
// runs it beside real clients.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

struct Options {
  std::uint16_t port = 0;
  std::vector<std::uint16_t> transfer_ports;
  std::string from = "127.0.66.1";
  std::string name = "x";
  std::uint64_t packets = 1000;
  std::uint64_t seed = 1;
};

using Datagram = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t bound) {
  return bound == 0 ? 0 : random() % bound;
}

void add(Datagram& to, std::string_view text) {
  to.insert(to.end(), text.begin(), text.end());
  to.push_back(0);
}

// A request that a server may well serve.
Datagram request(Random& random, const std::string& name) {
  static constexpr std::array<std::string_view, 9> keys = {
      "blksize", "windowsize", "tsize", "timeout", "utimeout", "rollover", "multicast", "BLKSIZE", ""};
  static constexpr std::array<std::string_view, 10> values = {
      "0", "1", "512", "1428", "65464", "65535", "-1", "99999999999999999999", "%s%n%x", ""};
  Datagram made{0, static_cast<std::uint8_t>(1 + below(random, 2))};
  add(made, name);
  add(made, below(random, 4) == 0 ? "netascii" : "octet");
  for (auto left = below(random, 5); left > 0; --left) {
    add(made, keys[below(random, keys.size())]);
    add(made, values[below(random, values.size())]);
  }
  return made;
}

Datagram noise(Random& random, std::size_t most) {
  Datagram made(below(random, most));
  for (auto& byte : made)
    byte = static_cast<std::uint8_t>(random());
  return made;
}

void mutate(Datagram& datagram, Random& random) {
  for (auto left = 1 + below(random, 4); left > 0 && !datagram.empty(); --left) {
    const auto at = static_cast<std::ptrdiff_t>(below(random, datagram.size()));
    switch (below(random, 4)) {
    case 0:
      datagram[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1U << below(random, 8));
      break;
    case 1: datagram[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random()); break;
    case 2: datagram.erase(datagram.begin() + at, datagram.end()); break;
    default: datagram.insert(datagram.begin() + at, below(random, 600), static_cast<std::uint8_t>(random()));
    }
  }
}

// DATA, ACK, ERROR, OACK, or what does not exist.
Datagram of_a_transfer(Random& random) {
  Datagram made = noise(random, below(random, 3) == 0 ? 600 : 8);
  made.insert(made.begin(), {0, static_cast<std::uint8_t>(below(random, 9)),
                             static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random())});
  return made;
}

sockaddr_in address(const std::string& host, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &made.sin_addr) != 1)
    throw std::runtime_error(host + " is no IPv4 address");
  return made;
}

class Storm {
 public:
  explicit Storm(const Options& options)
      : options_{options}, random_{options.seed}, listener_{address("127.0.0.1", options.port)} {
    for (const auto port : options.transfer_ports)
      transfers_.push_back(address("127.0.0.1", port));
    for (int& fd : sockets_) {
      fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      const sockaddr_in from = address(options.from, 0);
      if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
        throw std::system_error{errno, std::generic_category(), "a socket at " + options.from};
    }
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;
  ~Storm() {
    for (const int fd : sockets_)
      ::close(fd);
  }

  std::uint64_t run() {
    std::uint64_t sent = 0;
    for (std::size_t turn = 0; sent < options_.packets; ++turn) {
      const auto count = std::min<std::uint64_t>(batch, options_.packets - sent);
      for (std::size_t at = 0; at < count; ++at)
        make(at);
      sent += send(sockets_[turn % sockets_.size()], static_cast<unsigned>(count));
    }
    return sent;
  }

 private:
  static constexpr std::size_t batch = 64;

  void make(std::size_t at) {
    const auto kind = below(random_, 10);
    const bool to_transfer = kind < 4 && !transfers_.empty();
    if (to_transfer || kind == 4)
      bytes_[at] = of_a_transfer(random_);
    else if (kind == 5)
      bytes_[at] = noise(random_, 1472);
    else
      bytes_[at] = request(random_, below(random_, 3) == 0 ? std::string(500, '%') + "s" : options_.name);
    if (kind % 2 == 0) mutate(bytes_[at], random_);
    to_[at] = to_transfer ? transfers_[below(random_, transfers_.size())] : listener_;
    parts_[at] = {bytes_[at].data(), bytes_[at].size()};
    messages_[at].msg_hdr = {};
    messages_[at].msg_hdr.msg_name = &to_[at];
    messages_[at].msg_hdr.msg_namelen = sizeof to_[at];
    messages_[at].msg_hdr.msg_iov = &parts_[at];
    messages_[at].msg_hdr.msg_iovlen = 1;
  }

  std::uint64_t send(int fd, unsigned count) {
    for (unsigned at = 0; at < count;) {
      const int taken = ::sendmmsg(fd, messages_.data() + at, count - at, 0);
      if (taken > 0)
        at += static_cast<unsigned>(taken);
      else if (errno != EINTR && errno != ENOBUFS && errno != ECONNREFUSED)
        throw std::system_error{errno, std::generic_category(), "sendmmsg"};
    }
    return count;
  }

  const Options& options_;
  Random random_;
  sockaddr_in listener_;
  std::vector<sockaddr_in> transfers_;
  std::array<int, 256> sockets_{};
  std::array<Datagram, batch> bytes_;
  std::array<sockaddr_in, batch> to_{};
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> messages_{};
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Hostile datagrams for a TFTP server on this machine"};
  app.add_option("--port", options.port, "Where the server listens")->required();
  app.add_option("--transfer-port", options.transfer_ports, "Ports of its transfers; any number of times");
  app.add_option("--from", options.from, "Address that they come from");
  app.add_option("--name", options.name, "A file that is there");
  app.add_option("--packets", options.packets);
  app.add_option("--seed", options.seed);
  try {
    app.parse(argc, argv);
    fmt::print("{{\"sent\": {}}}\n", Storm{options}.run());
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "storm: {}\n", error.what());
    return 2;
  }
}
