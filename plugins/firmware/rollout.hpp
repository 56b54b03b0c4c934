// Who is on which side of a rollout: by pin, by ring, or by a percentage whose side follows from a hash of
// the device, so that it stays the same after a restart and when the percentage grows.
#pragma once

#include "firmware/question.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tftpkit::firmware {

inline constexpr std::uint32_t bucket_count = 10'000;

// 0 to 9999: the first four bytes of SHA-256("salt:key") as a big-endian number, modulo 10000.
[[nodiscard]] std::uint32_t bucket_of(std::string_view salt, std::string_view key) noexcept;

// What stands for the device in the hash.
enum class Key { mac, serial };

struct Share {
  double percent = 0;  // 0 to 100, to two decimals
  std::string salt;
  Key key = Key::mac;

  // The value of `key`, or else the next best: MAC, serial, uuid, address; empty when nothing is known.
  [[nodiscard]] std::string key_text(const Identity& identity) const;
  // Nobody whose identity is unknown is inside, unless everybody is.
  [[nodiscard]] bool holds(const Identity& identity) const;
};

// Two releases, of which each device gets one.
struct Channel {
  std::string name;
  std::string stable;
  std::string canary;  // empty: there is none
  Share share;
};

struct Release {
  std::string release;  // what {image} and "version" stand for
  std::string side;     // "pin", "canary" or "stable"
  std::string why;      // "ring hold", "bucket 4711 of 10 %"
};

// Pin before ring before percentage.
[[nodiscard]] Release release_for(const Channel& channel, const Identity& identity);

}  // namespace tftpkit::firmware
