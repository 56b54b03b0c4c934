// Window arithmetic.
#include "transfer/window.hpp"

#include "wire/block.hpp"

#include <cassert>

namespace tftpkit::transfer {

Window::Window(std::uint16_t blksize, std::uint16_t windowsize, unsigned rollover) noexcept
    : blksize_(blksize), windowsize_(windowsize), rollover_(rollover == 0 ? 0 : 1) {
  assert(blksize > 0 && windowsize > 0 && (rollover == 0 || windowsize < 65535));
}

void Window::on_source(std::uint64_t bytes, bool ended) noexcept {
  if (ended_) return;
  assert(bytes >= bytes_);
  bytes_ = std::max(bytes_, bytes);
  ended_ = ended;
  // A payload of exactly n blocks ends with an empty one (RFC 1350 section 6).
  available_ = bytes_ / blksize_ + (ended ? 1 : 0);
}

void Window::on_sent(std::uint64_t count) noexcept {
  assert(count <= sendable());
  next_ += count;
  highest_ = std::max(highest_, next_ - 1);
}

void Window::on_ack(std::uint64_t block) noexcept {
  assert(block > acked_ && block <= highest_);
  acked_ = block;
  next_ = std::max(next_, block + 1);  // after a restart an ACK may still come for what went out before it
}

std::optional<std::uint64_t> Window::unwrap(std::uint16_t wire_block) const noexcept {
  return wire::unwrap(wire_block, acked_, highest_, rollover_);
}

std::uint16_t Window::length_of(std::uint64_t block) const noexcept {
  const auto offset = offset_of(block);
  if (offset >= bytes_) return 0;
  return static_cast<std::uint16_t>(std::min<std::uint64_t>(blksize_, bytes_ - offset));
}

}  // namespace tftpkit::transfer
