// SharedBody: a part of a file that other transfers may be sending too. Its bytes lie in chunks that it
// holds as long as its window needs them; nothing is copied.
#pragma once

#include "serve/body.hpp"
#include "serve/shared_file.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::serve {

class SharedBody final : public Body, private ChunkWaiter {
 public:
  // Bytes [offset, offset + size) of the file, at most `window` of them at once; size is not 0. `on_ready` is
  // called when bytes have come that want() asked for (or failed to).
  SharedBody(std::shared_ptr<SharedFile> file, std::uint64_t offset, std::uint64_t size, std::size_t window,
             std::function<void()> on_ready);
  ~SharedBody() override;

  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return size_; }
  void want(std::uint64_t first, std::uint64_t last) override;
  [[nodiscard]] std::uint64_t ready() const noexcept override { return ready_; }
  [[nodiscard]] bool ended() const noexcept override { return ready_ == size_; }
  [[nodiscard]] const std::string* failure() const noexcept override {
    return failure_ ? &*failure_ : nullptr;
  }
  [[nodiscard]] Parts view(std::uint64_t offset, std::size_t length) const noexcept override;

 private:
  void on_fetched() override;
  void let_go_before(std::uint64_t position) noexcept;
  bool hold_more();

  std::shared_ptr<SharedFile> file_;
  std::uint64_t offset_;  // in the file; all that follows counts from here
  std::uint64_t size_;
  std::uint64_t ready_ = 0;
  std::size_t most_chunks_;
  std::uint64_t reads_before_;
  std::vector<Chunk*> held_;  // in order
  std::function<void()> on_ready_;
  bool waiting_ = false;
  std::optional<std::string> failure_;
};

}  // namespace tftpkit::serve
