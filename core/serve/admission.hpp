// Admission: who may begin a transfer now. Counts open transfers (all, and by client), buffer memory,
// and requests per client and second. Shared by all workers: one short lock per request, none per packet.
#pragma once

#include "loop/address.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace tftpkit::serve {

struct AdmissionLimits {
  std::size_t transfers = 20000;                     // open at once, all clients
  std::size_t transfers_per_client = 1024;           // open at once, by IP address
  std::size_t buffer_memory = std::size_t{1} << 30;  // bytes for buffers of all transfers
  double requests_per_second_per_client = 2000;      // 0: no limit
  double request_burst_per_client = 4000;
};

class Admission {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Admission(const AdmissionLimits& limits) : limits_{limits} {}

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
    Ticket(Admission& admission, const loop::Address& client) noexcept
        : admission_{&admission}, client_{client} {}
    void give_back() noexcept;

    Admission* admission_ = nullptr;
    loop::Address client_;
    std::size_t bytes_ = 0;
  };

  // A ticket, or nothing with `why` saying for the client which limit it met. [any thread]
  std::optional<Ticket> admit(const loop::Address& peer, TimePoint now, std::string& why);

  [[nodiscard]] std::size_t transfers() const noexcept { return transfers_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t buffer_bytes() const noexcept {
    return buffer_bytes_.load(std::memory_order_relaxed);
  }

 private:
  struct Client {
    std::size_t transfers = 0;
    double tokens = 0;  // requests that may come at once
    TimePoint refilled;
  };
  Client& client_of(const loop::Address& client, TimePoint now);
  void sweep(TimePoint now);
  [[nodiscard]] bool take_token(Client& client, TimePoint now) const;
  void release(const loop::Address& client, std::size_t bytes) noexcept;
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;

  std::mutex mutex_;
  AdmissionLimits limits_;
  std::unordered_map<loop::Address, Client> clients_;
  std::size_t sweep_at_ = 1024;  // forget idle clients when there are more than so many
  std::atomic<std::size_t> transfers_{0};
  std::atomic<std::size_t> buffer_bytes_{0};
};

}  // namespace tftpkit::serve
