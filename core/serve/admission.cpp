#include "serve/admission.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

void Admission::set_limits(const AdmissionLimits& limits) {
  const std::lock_guard lock{mutex_};
  most_transfers_ = limits.transfers;
  most_buffer_bytes_ = limits.buffer_memory;
  std::vector<Level> levels;
  levels.push_back(taken_over({32, 128, limits.client}));
  for (const auto& network : limits.networks)
    levels.push_back(taken_over(network));
  levels_ = std::move(levels);
}

// With what is counted already, if networks of that size were counted.
Admission::Level Admission::taken_over(const NetworkLimits& limits) {
  const auto same = std::ranges::find_if(levels_, [&](const Level& level) {
    return level.prefix_v4 == limits.prefix_v4 && level.prefix_v6 == limits.prefix_v6;
  });
  Level level{limits.prefix_v4, limits.prefix_v6, tickets_};
  if (same != levels_.end()) {
    level.since = same->since;
    level.shares = same->shares;
  }
  level.shares.set_limits(limits.share);
  return level;
}

Admission::Ticket::Ticket(Ticket&& other) noexcept
    : admission_{std::exchange(other.admission_, nullptr)}, client_{other.client_}, number_{other.number_},
      bytes_{std::exchange(other.bytes_, 0)} {}

Admission::Ticket& Admission::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  admission_ = std::exchange(other.admission_, nullptr);
  client_ = other.client_;
  number_ = other.number_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

bool Admission::Ticket::reserve(std::size_t bytes) {
  if (admission_ == nullptr || !admission_->reserve(bytes)) return false;
  bytes_ += bytes;
  return true;
}

void Admission::Ticket::give_back() noexcept {
  if (admission_ != nullptr) std::exchange(admission_, nullptr)->release(client_, number_, bytes_);
}

bool Admission::admits(const loop::Address& peer, TimePoint now, std::string& why) {
  for (Level& level : levels_) {
    const auto refusal = level.shares.refusal(level.key(peer), now);
    if (!refusal) continue;
    const std::string whose = &level == levels_.data() ? "address" : "network";
    why = *refusal == Shares::Refusal::requests
              ? "too many requests from your " + whose + ", try again later"
              : "too many transfers from your " + whose + " at once, try again later";
    return false;
  }
  if (transfers() < most_transfers_) return true;
  why = "the server has as many transfers as it may have, try again later";
  return false;
}

std::optional<Admission::Ticket> Admission::admit(const loop::Address& peer, TimePoint now,
                                                  std::string& why) {
  const std::lock_guard lock{mutex_};
  if (!admits(peer, now, why)) return std::nullopt;
  for (Level& level : levels_)
    level.shares.add_transfer(level.key(peer));
  transfers_.fetch_add(1, std::memory_order_relaxed);
  return Ticket{*this, peer.with_port(0), tickets_++};
}

bool Admission::reserve(std::size_t bytes) noexcept {
  const std::lock_guard lock{mutex_};
  if (buffer_bytes() + bytes > most_buffer_bytes_) return false;
  buffer_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

void Admission::release(const loop::Address& client, std::uint64_t number, std::size_t bytes) noexcept {
  const std::lock_guard lock{mutex_};
  transfers_.fetch_sub(1, std::memory_order_relaxed);
  buffer_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  for (Level& level : levels_)
    if (number >= level.since) level.shares.remove_transfer(level.key(client));
}

}  // namespace tftpkit::serve
