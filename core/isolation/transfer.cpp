#include "isolation/transfer.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::isolation {

Stream::Stream(std::unique_ptr<Mapping> ring, std::function<void(std::uint64_t)> want_more)
    : ring_{std::move(ring)}, want_more_{std::move(want_more)} {}

// Asks when half of the ring is free, so that the other side works while this one still has bytes.
std::int64_t Stream::read(std::span<std::byte> into, std::string& why) {
  std::unique_lock lock{mutex_};
  for (;;) {
    if (cancelled_) return TFTPKIT_E_CANCELLED;
    const std::size_t got = copy_out(into);
    const bool ask =
        !asked_ && !ended_ && broken_ == TFTPKIT_OK && filled_ - taken_ <= ring_->bytes().size() / 2;
    if (ask) {
      asked_ = true;
      want_more_(taken_);
    }
    if (got != 0) return static_cast<std::int64_t>(got);
    if (broken_ != TFTPKIT_OK) {
      why = why_;
      return broken_;
    }
    if (ended_) return 0;
    changed_.wait(lock);
  }
}

std::size_t Stream::copy_out(std::span<std::byte> into) {
  const std::span<const std::byte> ring = ring_->bytes();
  const auto have = static_cast<std::size_t>(std::min<std::uint64_t>(filled_ - taken_, into.size()));
  if (have == 0) return 0;
  const auto start = static_cast<std::size_t>(taken_ % ring.size());
  const std::size_t first = std::min(have, ring.size() - start);
  std::copy_n(ring.begin() + static_cast<std::ptrdiff_t>(start), first, into.begin());
  std::copy_n(ring.begin(), have - first, into.begin() + static_cast<std::ptrdiff_t>(first));
  taken_ += have;
  return have;
}

void Stream::cancel() {
  const std::lock_guard lock{mutex_};
  cancelled_ = true;
  changed_.notify_all();
}

bool Stream::on_filled(std::uint64_t filled, bool ended) {
  const std::lock_guard lock{mutex_};
  if (filled < filled_ || filled - taken_ > ring_->bytes().size() || ended_) return false;
  asked_ = false;
  filled_ = filled;
  ended_ = ended;
  changed_.notify_all();
  return true;
}

void Stream::on_broken(tftpkit_status status, std::string why) {
  const std::lock_guard lock{mutex_};
  if (ended_ || broken_ != TFTPKIT_OK) return;
  broken_ = status;
  why_ = std::move(why);
  changed_.notify_all();
}

}  // namespace tftpkit::isolation
