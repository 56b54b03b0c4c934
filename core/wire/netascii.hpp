// Netascii (RFC 764 as RFC 1350 uses it): LF travels as CR LF, CR as CR NUL; everything else as it is.
// Streaming in both directions: the state lives across chunks of any size. Knows nothing of blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tftpkit::wire {

// What one call took from its input and wrote to its output; both may be less than offered.
struct Converted {
  std::size_t consumed = 0;
  std::size_t produced = 0;
};

class NetasciiEncoder {
 public:
  // Goes on until the input is used up or the output is full.
  Converted encode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;

  // The second byte of a pair waits for room: the end is reached only when the input is used up and this is
  // false.
  [[nodiscard]] bool pending() const noexcept { return pending_; }

 private:
  std::byte held_{};
  bool pending_ = false;
};

class NetasciiDecoder {
 public:
  // A CR before anything but LF and NUL is not netascii; it is kept, and so is what follows it.
  Converted decode(std::span<const std::byte> in, std::span<std::byte> out) noexcept;

  // At the end of the input: a last lone CR (0 or 1 byte written; out needs room for 1 when pending()).
  std::size_t finish(std::span<std::byte> out) noexcept;

  [[nodiscard]] bool pending() const noexcept { return after_cr_; }

 private:
  bool after_cr_ = false;
};

// Bytes that encoding this adds up to; sizes of chunks may be summed.
std::uint64_t netascii_size(std::span<const std::byte> bytes) noexcept;

}  // namespace tftpkit::wire
