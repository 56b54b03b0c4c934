// SHA-256 (FIPS 180-4), a piece at a time. Not made to withstand timing attacks: it names contents.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::digest {

class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  void add(std::span<const std::byte> bytes) noexcept;
  void add(std::string_view text) noexcept { add(std::as_bytes(std::span(text))); }
  // Of all that was added. Ends it: nothing is added afterwards.
  [[nodiscard]] Digest finish() noexcept;

 private:
  void add_block(const std::byte* block) noexcept;

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> partial_{};
  std::uint64_t bytes_ = 0;
};

// 64 hexadecimal digits in lower case.
[[nodiscard]] std::string text_of(const Sha256::Digest& digest);

}  // namespace tftpkit::digest
