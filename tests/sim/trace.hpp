// Trace: what happened in a world, line by line for people (--trace), and as one number by which two runs of
// a seed are compared.
#pragma once

#include "kernel.hpp"

#include <cstdint>
#include <string_view>

namespace tftpkit::sim {

class Trace {
 public:
  static bool on() noexcept { return on_; }
  static void switch_on() noexcept { on_ = true; }
  static void begin() noexcept { hash_ = 0xcbf29ce484222325U; }
  [[nodiscard]] static std::uint64_t hash() noexcept { return hash_; }

  static void say(std::string_view who, std::string_view what);
  // Every packet that the server sends or receives; `what` has four letters.
  static void packet(std::string_view what, const Packet& packet);

 private:
  static void mix(std::uint64_t value) noexcept { hash_ = (hash_ ^ value) * 0x100000001b3U; }

  static bool on_;
  static std::uint64_t hash_;
};

}  // namespace tftpkit::sim
