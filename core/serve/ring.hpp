// Ring: the bytes of a body between the oldest one that may have to be sent again and the newest
// one that was read. Offsets count from the start of the body. Does not know where bytes come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/uio.h>

namespace tftpkit::serve {

using Parts = std::array<std::span<const std::byte>, 2>;

// Memory that somebody may still write into after its ring has gone (a read in another thread).
struct Space {
  std::shared_ptr<std::byte[]> owner;
  std::array<std::span<std::byte>, 2> parts;

  [[nodiscard]] std::size_t size() const noexcept { return parts[0].size() + parts[1].size(); }
};

// A space as the vectored reads of the kernel want it.
struct IoVectors {
  std::array<iovec, 2> parts{};
  int count = 0;
};

[[nodiscard]] inline IoVectors io_vectors(const Space& space) noexcept {
  IoVectors vectors;
  for (const auto& part : space.parts)
    if (!part.empty()) vectors.parts[static_cast<std::size_t>(vectors.count++)] = {part.data(), part.size()};
  return vectors;
}

class Ring {
 public:
  explicit Ring(std::size_t capacity) : memory_(new std::byte[capacity]), capacity_{capacity} {}

  [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t free() const noexcept {
    return capacity_ - static_cast<std::size_t>(end_ - begin_);
  }

  // Bytes before `offset` will not be asked for again; at most up to end().
  void release(std::uint64_t offset) noexcept {
    if (offset > begin_) begin_ = offset < end_ ? offset : end_;
  }

  // Where the next bytes go: everything that is free, or the first `most` of it.
  [[nodiscard]] Space space(std::size_t most) const noexcept {
    const std::size_t length = most < free() ? most : free();
    const std::size_t start = position(end_);
    const std::size_t first = length < capacity_ - start ? length : capacity_ - start;
    return {memory_, {std::span{memory_.get() + start, first}, std::span{memory_.get(), length - first}}};
  }

  // The first `length` bytes of space() have been filled.
  void commit(std::size_t length) noexcept { end_ += length; }

  // Bytes [offset, offset + length), which lie within begin() and end().
  [[nodiscard]] Parts view(std::uint64_t offset, std::size_t length) const noexcept {
    const std::size_t start = position(offset);
    const std::size_t first = length < capacity_ - start ? length : capacity_ - start;
    return {std::span<const std::byte>{memory_.get() + start, first},
            std::span<const std::byte>{memory_.get(), length - first}};
  }

 private:
  [[nodiscard]] std::size_t position(std::uint64_t offset) const noexcept {
    return static_cast<std::size_t>(offset % capacity_);
  }

  std::shared_ptr<std::byte[]> memory_;
  std::size_t capacity_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace tftpkit::serve
