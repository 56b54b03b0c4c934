// Shares: what each of many clients, or networks of clients, has of the server: its open transfers and a
// token bucket for its requests. Knows no network sizes and takes no lock; admission owns it.
#pragma once

#include "loop/address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace tftpkit::serve {

struct ShareLimits {
  std::size_t transfers = 0;       // open at once; 0: no limit
  double requests_per_second = 0;  // 0: no limit
  double request_burst = 0;
};

class Shares {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void set_limits(const ShareLimits& limits) noexcept { limits_ = limits; }

  enum class Refusal : std::uint8_t { requests, transfers };
  // Takes a token of this one; nothing when it may begin a transfer.
  [[nodiscard]] std::optional<Refusal> refusal(const loop::Address& whose, TimePoint now);
  void add_transfer(const loop::Address& whose) { ++all_[whose].transfers; }
  void remove_transfer(const loop::Address& whose) noexcept;
  [[nodiscard]] std::size_t known() const noexcept { return all_.size(); }

 private:
  struct Share {
    std::size_t transfers = 0;
    double tokens = 0;  // requests that may come at once
    TimePoint refilled{};
  };
  Share& share_of(const loop::Address& whose, TimePoint now);
  void sweep(TimePoint now);
  [[nodiscard]] bool take_token(Share& share, TimePoint now) const noexcept;

  ShareLimits limits_;
  std::unordered_map<loop::Address, Share> all_;
  std::size_t sweep_at_ = 1024;  // forget idle ones when there are more than so many
};

}  // namespace tftpkit::serve
