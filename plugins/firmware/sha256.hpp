// SHA-256 (FIPS 180-4): for the hashes of the catalogue and for the buckets of a rollout. It keeps no secret,
// so it does not care for constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::firmware {

class Sha256 {
 public:
  static constexpr std::size_t digest_size = 32;
  using Digest = std::array<std::uint8_t, digest_size>;

  void add(std::span<const std::byte> bytes) noexcept;
  void add(std::string_view text) noexcept { add(std::as_bytes(std::span(text))); }
  // Once; nothing can be added afterwards.
  [[nodiscard]] Digest finish() noexcept;

 private:
  static constexpr std::size_t block_size = 64;

  void compress(const std::byte* block) noexcept;

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, block_size> pending_{};
  std::uint64_t bytes_ = 0;
};

[[nodiscard]] Sha256::Digest sha256(std::string_view text) noexcept;
// 64 digits in lower case.
[[nodiscard]] std::string digest_text(const Sha256::Digest& digest);

}  // namespace tftpkit::firmware
