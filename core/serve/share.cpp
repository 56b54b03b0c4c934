#include "serve/share.hpp"

#include <algorithm>

namespace tftpkit::serve {

namespace {

double seconds_between(Shares::TimePoint from, Shares::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::optional<Shares::Refusal> Shares::refusal(const loop::Address& whose, TimePoint now) {
  Share& share = share_of(whose, now);
  if (!take_token(share, now)) return Refusal::requests;
  if (limits_.transfers != 0 && share.transfers >= limits_.transfers) return Refusal::transfers;
  return std::nullopt;
}

void Shares::remove_transfer(const loop::Address& whose) noexcept {
  const auto at = all_.find(whose);
  if (at != all_.end() && at->second.transfers > 0) at->second.transfers -= 1;
}

bool Shares::take_token(Share& share, TimePoint now) const noexcept {
  const double rate = limits_.requests_per_second;
  if (rate <= 0) return true;
  const double refill = std::max(0.0, seconds_between(share.refilled, now)) * rate;
  share.tokens = std::min(limits_.request_burst, share.tokens + refill);
  share.refilled = now;
  if (share.tokens < 1) return false;
  share.tokens -= 1;
  return true;
}

// Who has no transfers and a bucket that has filled up again is as good as unknown.
void Shares::sweep(TimePoint now) {
  const double rate = limits_.requests_per_second;
  std::erase_if(all_, [&](const auto& entry) {
    const Share& share = entry.second;
    if (share.transfers > 0) return false;
    return rate <= 0 || share.tokens + seconds_between(share.refilled, now) * rate >= limits_.request_burst;
  });
  sweep_at_ = std::max<std::size_t>(1024, all_.size() * 2);
}

Shares::Share& Shares::share_of(const loop::Address& whose, TimePoint now) {
  if (all_.size() >= sweep_at_) sweep(now);
  const auto [at, added] = all_.try_emplace(whose);
  if (added) at->second = {0, limits_.request_burst, now};
  return at->second;
}

}  // namespace tftpkit::serve
