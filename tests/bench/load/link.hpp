// Link: an artificial way between the clients and the server: every datagram, either way, is lost with the
// same chance and arrives half a round trip later. Seeded, so that a run can be repeated. It stands in for
// netem, which many kernels do not have.
#pragma once

#include "options.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <random>
#include <span>
#include <vector>

namespace load {

class Link {
 public:
  using Clock = std::chrono::steady_clock;
  struct Travelling {
    Clock::time_point arrives;
    std::size_t way;  // the crowd's number of the socket
    bool to_server;
    std::vector<std::byte> bytes;
  };

  explicit Link(const Options& options)
      : half_trip_{std::chrono::microseconds{options.rtt_ms * 500}}, lost_{options.loss}, random_{
                                                                                              options.seed} {}

  [[nodiscard]] bool perfect() const noexcept { return half_trip_.count() == 0 && lost_.p() <= 0; }

  void put(std::size_t way, bool to_server, std::span<const std::byte> bytes, Clock::time_point now) {
    if (lost_(random_)) return;
    under_way_.push_back({now + half_trip_, way, to_server, {bytes.begin(), bytes.end()}});
  }
  // The next one that has arrived; false when there is none.
  bool take(Travelling& arrived, Clock::time_point now) {
    if (under_way_.empty() || under_way_.front().arrives > now) return false;
    arrived = std::move(under_way_.front());
    under_way_.pop_front();
    return true;
  }

 private:
  Clock::duration half_trip_;
  std::bernoulli_distribution lost_;
  std::mt19937_64 random_;
  std::deque<Travelling> under_way_;
};

}  // namespace load
