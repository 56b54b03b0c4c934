// Random: all chance of a simulated world. The same seed gives the same numbers on every machine, which the
// distributions of the standard library do not promise. Forks are independent of how often the parent is
// asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace tftpkit::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : seed_{seed}, state_{seed} {}

  // splitmix64
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  [[nodiscard]] Random fork(std::uint64_t name) const noexcept {
    Random mixed{seed_ ^ (name + 1) * 0xd6e8feb86659fd93U};
    return Random{mixed.next()};
  }

  std::uint64_t below(std::uint64_t end) noexcept { return end == 0 ? 0 : next() % end; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
    return least + below(most - least + 1);
  }
  std::chrono::nanoseconds between(std::chrono::nanoseconds least, std::chrono::nanoseconds most) noexcept {
    const auto span = static_cast<std::uint64_t>((most - least).count());
    return least + std::chrono::nanoseconds(static_cast<std::int64_t>(below(span + 1)));
  }
  // Always one number, so that what follows does not depend on the share.
  bool chance(double share) noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53 < share; }
  template <class Value>
  Value pick(std::initializer_list<Value> values) noexcept {
    return values.begin()[below(values.size())];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t state_;
};

}  // namespace tftpkit::sim
