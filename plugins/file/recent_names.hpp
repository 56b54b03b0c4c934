// RecentNames: names that led to a regular file within the last second. A small table that forgets and may be
// used from many threads at once; what it says is true but for one name in 2^40.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace tftpkit::file {

class RecentNames {
 public:
  RecentNames();

  // Times are in milliseconds of a clock that does not go back.
  void remember(std::string_view name, std::uint64_t now) noexcept;
  [[nodiscard]] bool remembered(std::string_view name, std::uint64_t now) const noexcept;

 private:
  static constexpr std::uint64_t lifetime = 1000;
  static constexpr std::uint64_t times = (std::uint64_t{1} << 24U) - 1;  // the bits of an entry that are time

  [[nodiscard]] std::uint64_t hash(std::string_view name) const noexcept;

  std::uint64_t salt_;  // nobody outside can choose two names for one entry
  std::array<std::atomic<std::uint64_t>, 512>
      entries_{};  // the upper bits of the hash, the lower ones of the time
};

}  // namespace tftpkit::file
