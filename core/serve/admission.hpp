// Admission: who may begin a transfer now. Counts open transfers (all, by client, by network), buffer memory,
// and requests per client, network and second. Shared by all workers: one short lock per request, none per
// packet.
#pragma once

#include "loop/address.hpp"
#include "serve/share.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tftpkit::serve {

// What the clients of one network may have together.
struct NetworkLimits {
  unsigned prefix_v4 = 24;
  unsigned prefix_v6 = 64;
  ShareLimits share;
};

struct AdmissionLimits {
  std::size_t transfers = 20000;                     // open at once, all clients
  std::size_t buffer_memory = std::size_t{1} << 30;  // bytes for buffers of all transfers
  ShareLimits client{1024, 2000, 4000};              // by IP address
  std::vector<NetworkLimits> networks{};             // each of them holds
};

class Admission {
 public:
  using TimePoint = Shares::TimePoint;

  explicit Admission(const AdmissionLimits& limits) { set_limits(limits); }

  // Networks of another size than before are counted from now on.
  void set_limits(const AdmissionLimits& limits);

  // A transfer's right to exist; gives everything back when destroyed.
  class Ticket {
   public:
    Ticket() noexcept = default;
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { give_back(); }

    // Books memory for this transfer's buffers; false when the limit of all transfers is reached.
    [[nodiscard]] bool reserve(std::size_t bytes);

   private:
    friend class Admission;
    Ticket(Admission& admission, const loop::Address& client, std::uint64_t number) noexcept
        : admission_{&admission}, client_{client}, number_{number} {}
    void give_back() noexcept;

    Admission* admission_ = nullptr;
    loop::Address client_;
    std::uint64_t number_ = 0;
    std::size_t bytes_ = 0;
  };

  // A ticket, or nothing with `why` saying for the client which limit it met. [any thread]
  std::optional<Ticket> admit(const loop::Address& peer, TimePoint now, std::string& why);

  [[nodiscard]] std::size_t transfers() const noexcept { return transfers_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t buffer_bytes() const noexcept {
    return buffer_bytes_.load(std::memory_order_relaxed);
  }

 private:
  // Shares by networks of one size, which count the tickets from number `since` on.
  struct Level {
    unsigned prefix_v4 = 32;
    unsigned prefix_v6 = 128;
    std::uint64_t since = 0;
    Shares shares{};
    [[nodiscard]] loop::Address key(const loop::Address& client) const noexcept {
      return client.network(client.is_v4() ? prefix_v4 : prefix_v6);
    }
  };
  Level taken_over(const NetworkLimits& limits);
  [[nodiscard]] bool admits(const loop::Address& peer, TimePoint now, std::string& why);
  void release(const loop::Address& client, std::uint64_t number, std::size_t bytes) noexcept;
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;

  std::mutex mutex_;
  std::size_t most_transfers_ = 0;
  std::size_t most_buffer_bytes_ = 0;
  std::vector<Level>
      levels_;  // the client's own first, so that what it may not does not count for its network
  std::uint64_t tickets_ = 0;  // ever given
  std::atomic<std::size_t> transfers_{0};
  std::atomic<std::size_t> buffer_bytes_{0};
};

}  // namespace tftpkit::serve
