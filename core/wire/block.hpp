// Arithmetic between a block (64 bit, counts from 1, never wraps) and its number on the wire (16 bit, wraps).
// Rollover 0 continues 65535 with 0 (everyone's default), rollover 1 with 1, so that 0 never comes again.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>

namespace tftpkit::wire {

// How many numbers there are before they repeat.
constexpr std::uint32_t block_period(unsigned rollover) noexcept {
  return rollover == 0 ? 65536 : 65535;
}

constexpr std::uint16_t wire_block(std::uint64_t block, unsigned rollover) noexcept {
  if (rollover == 0) return static_cast<std::uint16_t>(block);
  return block == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>((block - 1) % 65535 + 1);
}

// Steps forward from one number to the other, 0 to period-1. With rollover 1 neither may be 0.
constexpr std::uint32_t wire_distance(std::uint16_t from, std::uint16_t to, unsigned rollover) noexcept {
  const auto period = block_period(rollover);
  return (static_cast<std::uint32_t>(to) + period - from) % period;
}

// The one block in [first, last] that has this number; nullopt when there is none. last-first < block_period.
constexpr std::optional<std::uint64_t> unwrap(std::uint16_t number, std::uint64_t first, std::uint64_t last,
                                              unsigned rollover) noexcept {
  assert(first <= last && last - first < block_period(rollover));
  if (rollover != 0 && number == 0) return first == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
  // Block 0 stands outside the ring of rollover 1; its place there is that of 65535.
  const auto origin = rollover != 0 && first == 0 ? std::uint16_t{65535} : wire_block(first, rollover);
  const auto distance = wire_distance(origin, number, rollover);
  if (rollover != 0 && first == 0 && distance == 0) return std::nullopt;
  return distance <= last - first ? std::optional(first + distance) : std::nullopt;
}

}  // namespace tftpkit::wire
