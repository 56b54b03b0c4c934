// Body: the bytes of one answer as they go over the wire, asked for by offset within a moving window.
// Knows where bytes come from (memory, or a Reader) and netascii; knows no blocks and no packets.
#pragma once

#include "serve/reader.hpp"
#include "serve/ring.hpp"
#include "wire/netascii.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tftpkit::serve {

class Body {
 public:
  virtual ~Body() = default;

  // Bytes in all as the client receives them, where that is known now.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const noexcept = 0;

  // Bytes before `first` are needed no more; those up to `last` come next. May fetch them at once.
  virtual void want(std::uint64_t first, std::uint64_t last) = 0;

  // [first wanted, ready()) can be viewed; ended(): ready() is the end of the body.
  [[nodiscard]] virtual std::uint64_t ready() const noexcept = 0;
  [[nodiscard]] virtual bool ended() const noexcept = 0;

  // In words why no more bytes will come, or nullptr.
  [[nodiscard]] virtual const std::string* failure() const noexcept = 0;

  // Valid until the next want().
  [[nodiscard]] virtual Parts view(std::uint64_t offset, std::size_t length) const noexcept = 0;
};

// Bytes in memory that somebody else keeps as they are.
class MemoryBody final : public Body {
 public:
  explicit MemoryBody(std::span<const std::byte> bytes) : bytes_{bytes} {}

  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return bytes_.size(); }
  void want(std::uint64_t, std::uint64_t) override {}
  [[nodiscard]] std::uint64_t ready() const noexcept override { return bytes_.size(); }
  [[nodiscard]] bool ended() const noexcept override { return true; }
  [[nodiscard]] const std::string* failure() const noexcept override { return nullptr; }
  [[nodiscard]] Parts view(std::uint64_t offset, std::size_t length) const noexcept override {
    return {bytes_.subspan(static_cast<std::size_t>(offset), length), {}};
  }

 private:
  std::span<const std::byte> bytes_;
};

// Bytes that a Reader brings, kept in a ring as long as they may have to be sent again.
class ReadBody final : public Body {
 public:
  struct Plan {
    std::size_t capacity = 0;                // of the ring: more than the largest window
    std::optional<std::uint64_t> raw_size;   // bytes that the reader has promised
    std::optional<std::uint64_t> wire_size;  // the same as the client receives them, if known
    bool netascii = false;
  };
  // `on_ready` is called when a read that took its time has brought something (or failed).
  ReadBody(const Plan& plan, std::unique_ptr<Reader> reader, std::function<void()> on_ready);

  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return plan_.wire_size; }
  void want(std::uint64_t first, std::uint64_t last) override;
  [[nodiscard]] std::uint64_t ready() const noexcept override { return ring_.end(); }
  [[nodiscard]] bool ended() const noexcept override { return ended_; }
  [[nodiscard]] const std::string* failure() const noexcept override {
    return failure_ ? &*failure_ : nullptr;
  }
  [[nodiscard]] Parts view(std::uint64_t offset, std::size_t length) const noexcept override {
    return ring_.view(offset, length);
  }

 private:
  void fill();
  [[nodiscard]] bool wants_more() const noexcept;
  [[nodiscard]] Space next_space();
  void take(const ReadResult& result);
  void take_bytes(std::size_t bytes);
  void check_end();

  Plan plan_;
  Ring ring_;
  std::unique_ptr<Reader> reader_;
  std::function<void()> on_ready_;
  std::uint64_t wanted_ = 0;
  std::uint64_t raw_bytes_ = 0;
  bool reading_ = false;
  bool ended_ = false;
  std::optional<std::string> failure_;
  wire::NetasciiEncoder encoder_;
  Space raw_;  // netascii only: what the reader brings before it is encoded
};

}  // namespace tftpkit::serve
