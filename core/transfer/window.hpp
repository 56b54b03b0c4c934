// Where a transfer stands, in blocks: what is acknowledged, in flight, available, and last. Pure arithmetic,
// no time. Block numbers are 64 bit and count from 1; numbers from the wire are unwrapped here and nowhere
// else.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tftpkit::transfer {

class Window {
 public:
  Window(std::uint16_t blksize, std::uint16_t windowsize, unsigned rollover) noexcept;

  void on_source(std::uint64_t bytes, bool ended) noexcept;  // bytes never shrink
  void on_sent(std::uint64_t count) noexcept;                // count blocks from next() on
  void on_ack(std::uint64_t block) noexcept;                 // acked() < block <= highest()
  void restart() noexcept { next_ = acked_ + 1; }            // the flight begins again behind acked()

  // The block an ACK means: in [acked(), highest()], or nullopt when it means nothing here.
  [[nodiscard]] std::optional<std::uint64_t> unwrap(std::uint16_t wire_block) const noexcept;

  [[nodiscard]] std::uint64_t acked() const noexcept { return acked_; }
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }        // the next block to send
  [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }  // ever sent
  [[nodiscard]] std::uint64_t end() const noexcept {
    return acked_ + windowsize_;
  }                                                        // last block of the window
  [[nodiscard]] std::uint64_t sendable() const noexcept {  // count from next() on
    const auto limit = std::min(end(), available_);
    return next_ <= limit ? limit - next_ + 1 : 0;
  }
  [[nodiscard]] bool in_flight() const noexcept { return next_ > acked_ + 1; }
  // The source, not the client, keeps the window from being full.
  [[nodiscard]] bool starved() const noexcept { return !ended_ && available_ < end(); }
  [[nodiscard]] bool done() const noexcept { return ended_ && acked_ == available_; }
  [[nodiscard]] bool all_sent() const noexcept { return ended_ && highest_ == available_; }
  [[nodiscard]] bool only_last_missing() const noexcept {
    return all_sent() && (windowsize_ > 1 || acked_ + 1 == available_);
  }

  [[nodiscard]] std::uint64_t offset_of(std::uint64_t block) const noexcept { return (block - 1) * blksize_; }
  [[nodiscard]] std::uint16_t length_of(std::uint64_t block) const noexcept;
  [[nodiscard]] std::uint64_t acked_bytes() const noexcept { return std::min(acked_ * blksize_, bytes_); }
  [[nodiscard]] std::uint16_t windowsize() const noexcept { return windowsize_; }
  [[nodiscard]] std::uint16_t blksize() const noexcept { return blksize_; }

 private:
  std::uint64_t bytes_ = 0;
  std::uint64_t available_ = 0;  // whole blocks ready; once ended the last block of all
  std::uint64_t acked_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t highest_ = 0;
  std::uint16_t blksize_;
  std::uint16_t windowsize_;
  std::uint8_t rollover_;
  bool ended_ = false;
};

}  // namespace tftpkit::transfer
