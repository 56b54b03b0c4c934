#include "serve/body.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

namespace {

constexpr std::size_t netascii_piece = 4096;  // raw bytes at a time; encoded they are at most twice as many

}  // namespace

ReadBody::ReadBody(const Plan& plan, std::unique_ptr<Reader> reader, std::function<void()> on_ready)
    : plan_{plan}, ring_{plan.capacity}, reader_{std::move(reader)}, on_ready_{std::move(on_ready)} {
  if (plan.netascii) raw_.owner.reset(new std::byte[netascii_piece]);
}

void ReadBody::want(std::uint64_t first, std::uint64_t last) {
  ring_.release(first);
  wanted_ = std::max(wanted_, last);
  fill();
}

// Reads that cost little wait until they are needed; the others begin when half of the ring is free.
bool ReadBody::wants_more() const noexcept {
  if (reading_ || ended_ || failure_) return false;
  if (ring_.free() < (plan_.netascii ? 2U : 1U)) return false;
  if (ring_.end() < wanted_) return true;
  return reader_->reads_ahead() && ring_.free() >= ring_.capacity() / 2;
}

Space ReadBody::next_space() {
  if (!plan_.netascii) return ring_.space(ring_.capacity());
  const std::size_t most = std::min(netascii_piece, ring_.free() / 2);
  raw_.parts = {std::span{raw_.owner.get(), most}, {}};
  return raw_;
}

void ReadBody::fill() {
  while (wants_more()) {
    reading_ = true;
    auto result = reader_->read(next_space(), [this](const ReadResult& late) {
      take(late);
      fill();
      on_ready_();
    });
    if (!result) return;
    take(*result);
  }
}

void ReadBody::take(const ReadResult& result) {
  reading_ = false;
  if (result.failure) {
    failure_ = result.failure;
    return;
  }
  take_bytes(result.bytes);
  if (result.end && !failure_) check_end();
}

void ReadBody::take_bytes(std::size_t bytes) {
  raw_bytes_ += bytes;
  if (plan_.raw_size && raw_bytes_ > *plan_.raw_size) {
    failure_ = "the source has more bytes than the " + std::to_string(*plan_.raw_size) + " it announced";
    return;
  }
  if (!plan_.netascii) {
    ring_.commit(bytes);
    return;
  }
  std::span<const std::byte> raw{raw_.owner.get(), bytes};
  while (!raw.empty() || encoder_.pending()) {
    const Space space = ring_.space(ring_.free());
    for (const auto& part : space.parts) {
      const auto step = encoder_.encode(raw, part);
      raw = raw.subspan(step.consumed);
      ring_.commit(step.produced);
    }
  }
}

void ReadBody::check_end() {
  if (plan_.raw_size && raw_bytes_ != *plan_.raw_size) {
    failure_ = "the source ended after " + std::to_string(raw_bytes_) + " of the " +
               std::to_string(*plan_.raw_size) + " bytes it announced";
    return;
  }
  ended_ = true;
}

}  // namespace tftpkit::serve
