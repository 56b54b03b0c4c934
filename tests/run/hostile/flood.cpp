// flood: requests at a steady rate, whatever the server does with them, from many ports of many addresses.
// Each is a transfer of one block. Prints what became of them and how long it took, as one JSON object;
// tests/run says what is right.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 0;
  std::string name = "x";
  unsigned rate = 1000;  // requests in a second
  double seconds = 2;
  unsigned ports = 4000;
  double patience = 3;  // seconds for an answer
};

struct Asker {
  int fd = -1;
  bool waiting = false;
  Clock::time_point asked;
};

double milliseconds_since(Clock::time_point then) {
  return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

class Flood {
 public:
  explicit Flood(const Options& options) : options_{options}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
    server_.sin_family = AF_INET;
    server_.sin_port = htons(options.port);
    server_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request_ = std::string{"\0\1", 2} + options.name + std::string{"\0octet\0", 7};
    for (std::size_t at = 0; at < options.ports; ++at)
      add_asker(at);
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood() {
    for (const Asker& asker : askers_)
      ::close(asker.fd);
    ::close(epoll_);
  }

  void run() {
    const auto began = Clock::now();
    const auto all = static_cast<std::uint64_t>(options_.rate * options_.seconds);
    while (asked_ < all || (waiting_ > 0 && milliseconds_since(last_) < options_.patience * 1000)) {
      const double due = std::chrono::duration<double>(Clock::now() - began).count() * options_.rate;
      while (asked_ < all && static_cast<double>(asked_) < due && !free_.empty())
        ask();
      listen();
      if (free_.empty()) give_up_oldest();
    }
  }

  void print() {
    const auto at = [](std::vector<double>& all, double share) {
      if (all.empty()) return 0.0;
      std::sort(all.begin(), all.end());
      return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
    };
    fmt::print(
        "{{\"asked\": {}, \"served\": {}, \"refused\": {}, \"unanswered\": {}, \"served_ms_median\": {:.2f}, "
        "\"served_ms_99\": {:.2f}, \"served_ms_most\": {:.2f}, \"refused_ms_median\": {:.2f}, "
        "\"refused_ms_99\": {:.2f}}}\n",
        asked_, served_.size(), refused_.size(), asked_ - served_.size() - refused_.size(), at(served_, 0.5),
        at(served_, 0.99), at(served_, 1), at(refused_, 0.5), at(refused_, 0.99));
  }

 private:
  void add_asker(std::size_t at) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<in_addr_t>(256U * 70U + at % 200 + 1));
    Asker asker{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), false, {}};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = at;
    if (asker.fd < 0 || ::bind(asker.fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, asker.fd, &event) != 0)
      throw std::system_error{errno, std::generic_category(), "a socket"};
    askers_.push_back(asker);
    free_.push_back(at);
  }

  void ask() {
    const std::size_t at = free_.front();
    free_.pop_front();
    Asker& asker = askers_[at];
    asker.waiting = true;
    last_ = asker.asked = Clock::now();
    ++asked_;
    ++waiting_;
    in_order_.push_back(at);
    (void)::sendto(asker.fd, request_.data(), request_.size(), 0, reinterpret_cast<const sockaddr*>(&server_),
                   sizeof server_);
  }

  void listen() {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < count; ++i)
      take(events[static_cast<std::size_t>(i)].data.u64);
  }

  // DATA 1 is acknowledged each time that it comes; the first answer of all counts.
  void take(std::size_t at) {
    std::array<std::uint8_t, 600> packet{};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t got = ::recvfrom(askers_[at].fd, packet.data(), packet.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 4) return;
    const bool data = packet[1] == 3;
    const std::array<std::uint8_t, 4> ack{0, 4, packet[2], packet[3]};
    if (data)
      (void)::sendto(askers_[at].fd, ack.data(), ack.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    if (!askers_[at].waiting) return;
    (data ? served_ : refused_).push_back(milliseconds_since(askers_[at].asked));
    release(at);
  }

  void release(std::size_t at) {
    askers_[at].waiting = false;
    --waiting_;
    free_.push_back(at);
  }

  void give_up_oldest() {
    while (!in_order_.empty() && !askers_[in_order_.front()].waiting)
      in_order_.pop_front();
    if (in_order_.empty()) return;
    const std::size_t at = in_order_.front();
    if (milliseconds_since(askers_[at].asked) > options_.patience * 1000) release(at);
  }

  const Options& options_;
  int epoll_;
  sockaddr_in server_{};
  std::string request_;
  std::vector<Asker> askers_;
  std::deque<std::size_t> free_;      // the longest unused first
  std::deque<std::size_t> in_order_;  // as they asked
  std::uint64_t asked_ = 0;
  std::uint64_t waiting_ = 0;
  Clock::time_point last_{};
  std::vector<double> served_;
  std::vector<double> refused_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Requests at a steady rate, from many ports of this machine"};
  app.add_option("--port", options.port, "Where the server listens")->required();
  app.add_option("--name", options.name, "A file of less than 512 bytes");
  app.add_option("--rate", options.rate, "Requests in a second");
  app.add_option("--seconds", options.seconds);
  app.add_option("--ports", options.ports, "To ask from");
  app.add_option("--patience", options.patience, "Seconds for an answer");
  try {
    app.parse(argc, argv);
    Flood flood{options};
    flood.run();
    flood.print();
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "flood: {}\n", error.what());
    return 2;
  }
}
