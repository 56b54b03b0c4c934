// FdWatch: tells when a descriptor becomes readable or writable (level triggered).
// Does not own the descriptor: whoever does destroys the watch first, then closes.
#pragma once

#include <cstdint>
#include <functional>

namespace tftpkit::loop {

class Loop;

struct Ready {
  bool readable = false;
  bool writable = false;
  bool error = false;  // epoll reported a failure; the next call on the descriptor says which
};

class FdWatch {
 public:
  enum class Want : std::uint8_t { nothing = 0, read = 1, write = 2, both = 3 };
  using OnReady = std::function<void(Ready)>;

  FdWatch() noexcept = default;
  // The descriptor becomes non-blocking. Throws std::system_error when epoll refuses it (a regular file).
  FdWatch(Loop& loop, int fd, Want want, OnReady on_ready);
  FdWatch(FdWatch&& other) noexcept;
  FdWatch& operator=(FdWatch&& other) noexcept;
  ~FdWatch();  // may run inside the watch's own callback; none is called afterwards

  void want(Want want) noexcept;
  [[nodiscard]] Want wanted() const noexcept;
  void close() noexcept;
  explicit operator bool() const noexcept { return node_ != nullptr; }

  struct Node;

 private:
  Node* node_ = nullptr;
};

}  // namespace tftpkit::loop
