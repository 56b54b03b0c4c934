#include "recent_names.hpp"

#include <random>

namespace tftpkit::file {

RecentNames::RecentNames() {
  std::random_device random;
  salt_ = std::uint64_t{random()} << 32U | random();
}

// FNV-1a, and the mixing of MurmurHash3 for bits that depend on all others.
std::uint64_t RecentNames::hash(std::string_view name) const noexcept {
  std::uint64_t value = salt_;
  for (const char c : name)
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  value = (value ^ value >> 33U) * 0xff51afd7ed558ccdU;
  value = (value ^ value >> 33U) * 0xc4ceb9fe1a85ec53U;
  return value ^ value >> 33U;
}

void RecentNames::remember(std::string_view name, std::uint64_t now) noexcept {
  const std::uint64_t value = hash(name);
  entries_[value % entries_.size()].store((value & ~times) | (now & times), std::memory_order_relaxed);
}

bool RecentNames::remembered(std::string_view name, std::uint64_t now) const noexcept {
  const std::uint64_t value = hash(name);
  const std::uint64_t entry = entries_[value % entries_.size()].load(std::memory_order_relaxed);
  return (entry & ~times) == (value & ~times) && ((now - entry) & times) < lifetime;
}

}  // namespace tftpkit::file
