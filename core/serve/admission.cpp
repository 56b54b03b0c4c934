#include "serve/admission.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

namespace {

double seconds_between(Admission::TimePoint from, Admission::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void Admission::set_limits(const AdmissionLimits& limits) {
  const std::lock_guard lock{mutex_};
  limits_ = limits;
}

Admission::Ticket::Ticket(Ticket&& other) noexcept
    : admission_{std::exchange(other.admission_, nullptr)}, client_{other.client_}, bytes_{std::exchange(
                                                                                        other.bytes_, 0)} {}

Admission::Ticket& Admission::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  admission_ = std::exchange(other.admission_, nullptr);
  client_ = other.client_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

bool Admission::Ticket::reserve(std::size_t bytes) {
  if (admission_ == nullptr || !admission_->reserve(bytes)) return false;
  bytes_ += bytes;
  return true;
}

void Admission::Ticket::give_back() noexcept {
  if (admission_ != nullptr) std::exchange(admission_, nullptr)->release(client_, bytes_);
}

bool Admission::take_token(Client& client, TimePoint now) const {
  const double rate = limits_.requests_per_second_per_client;
  if (rate <= 0) return true;
  const double refill = std::max(0.0, seconds_between(client.refilled, now)) * rate;
  client.tokens = std::min(limits_.request_burst_per_client, client.tokens + refill);
  client.refilled = now;
  if (client.tokens < 1) return false;
  client.tokens -= 1;
  return true;
}

// A client without transfers whose bucket has filled up again is as good as unknown.
void Admission::sweep(TimePoint now) {
  const double rate = limits_.requests_per_second_per_client;
  std::erase_if(clients_, [&](const auto& entry) {
    const Client& client = entry.second;
    if (client.transfers > 0) return false;
    return rate <= 0 ||
           client.tokens + seconds_between(client.refilled, now) * rate >= limits_.request_burst_per_client;
  });
  sweep_at_ = std::max<std::size_t>(1024, clients_.size() * 2);
}

Admission::Client& Admission::client_of(const loop::Address& client, TimePoint now) {
  if (clients_.size() >= sweep_at_) sweep(now);
  const auto [at, added] = clients_.try_emplace(client);
  if (added) at->second = {0, limits_.request_burst_per_client, now};
  return at->second;
}

std::optional<Admission::Ticket> Admission::admit(const loop::Address& peer, TimePoint now,
                                                  std::string& why) {
  const std::lock_guard lock{mutex_};
  Client& client = client_of(peer.with_port(0), now);
  if (!take_token(client, now)) {
    why = "too many requests from your address, try again later";
    return std::nullopt;
  }
  if (client.transfers >= limits_.transfers_per_client) {
    why = "too many transfers from your address at once, try again later";
    return std::nullopt;
  }
  if (transfers() >= limits_.transfers) {
    why = "the server has as many transfers as it may have, try again later";
    return std::nullopt;
  }
  client.transfers += 1;
  transfers_.fetch_add(1, std::memory_order_relaxed);
  return Ticket{*this, peer.with_port(0)};
}

bool Admission::reserve(std::size_t bytes) noexcept {
  const std::lock_guard lock{mutex_};
  if (buffer_bytes() + bytes > limits_.buffer_memory) return false;
  buffer_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

void Admission::release(const loop::Address& client, std::size_t bytes) noexcept {
  const std::lock_guard lock{mutex_};
  transfers_.fetch_sub(1, std::memory_order_relaxed);
  buffer_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  const auto at = clients_.find(client);
  if (at != clients_.end() && at->second.transfers > 0) at->second.transfers -= 1;
}

}  // namespace tftpkit::serve
