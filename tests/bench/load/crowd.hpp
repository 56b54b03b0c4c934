// Crowd: all clients of one run on one epoll descriptor. Gives them sockets, carries their datagrams, asks
// again for those without news, counts. Each client has a few ports in turn, so that the end of one
// transfer and the beginning of the next never meet at one.
#pragma once

#include "client.hpp"
#include "link.hpp"
#include "sockets.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace load {

struct Result {
  std::uint64_t transfers = 0;  // complete ones
  std::uint64_t blocks = 0;     // that came in order, of complete and other transfers
  std::uint64_t bytes = 0;      // of complete transfers
  std::uint64_t repeated = 0;   // datagrams that clients sent again for want of news
  double seconds = 0;
  std::vector<double> milliseconds;  // of each complete transfer
  std::string complaint;             // what a server did wrong; empty: nothing
  bool complete = true;              // every transfer that was asked for came to its end
};

class Crowd {
 public:
  using Clock = std::chrono::steady_clock;

  Crowd(const Options& options, const Content& content);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  Result run();

 private:
  // A client with its ports.
  struct Member {
    Client client;
    std::vector<Socket> sockets;
    std::size_t turn = 0;
    sockaddr_in peer{};  // the server's transfer port, once it is known
    bool peer_known = false;
    bool busy = false;
    bool held = false;
    Clock::time_point began;
    Clock::time_point news;
  };

  void begin(std::size_t member);
  void on_socket(std::uint64_t way);
  void on_datagram(std::uint64_t way, std::span<const std::byte> datagram, const sockaddr_in& from);
  void after(std::size_t at, Step step);
  void finish(std::size_t at);
  void send(std::size_t at);
  void carry();
  void ask_again();
  void wait_for_go();
  [[nodiscard]] bool over() const noexcept;
  [[nodiscard]] std::uint64_t way_of(std::size_t member) const noexcept {
    return std::uint64_t{member} << 8U | members_[member].turn;
  }

  const Options* options_;
  const Content* content_;
  Link link_;
  Inbox inbox_;
  int epoll_;
  sockaddr_in server_{};
  std::vector<Member> members_;
  Result result_;
  std::uint64_t begun_ = 0;
  std::size_t busy_ = 0;
  std::size_t held_ = 0;
  Clock::time_point now_;
  Clock::time_point began_;
  Clock::time_point asked_again_;
};

}  // namespace load
