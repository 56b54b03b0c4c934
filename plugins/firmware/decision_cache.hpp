// Decisions of the last minutes: a device that asks twice for a name, or for an image and then for its
// checksum, gets answers that belong together even when a time window closes between the two. A new state
// begins with an empty cache.
#pragma once

#include "firmware/state.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tftpkit::firmware {

// With the state that it was made from, into whose inventory it points.
struct Cached {
  std::shared_ptr<const State> state;
  Decision decision;
};

class DecisionCache {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most = 32'768;  // of each of two generations

  explicit DecisionCache(std::chrono::milliseconds life) : life_(life) {}

  // nullptr: none, too old, or of another state.
  [[nodiscard]] std::shared_ptr<const Cached> find(const std::string& key, const State* state,
                                                   Clock::time_point now);
  void put(const std::string& key, std::shared_ptr<const Cached> cached, Clock::time_point now);

 private:
  struct Entry {
    std::shared_ptr<const Cached> cached;
    Clock::time_point made;
  };
  using Generation = std::unordered_map<std::string, Entry>;

  std::chrono::milliseconds life_;
  std::mutex mutex_;
  Generation young_;
  Generation old_;  // dropped when the young one is full or has lived
  Clock::time_point turned_{};
};

}  // namespace tftpkit::firmware
