// Reader: brings the bytes of one source in order, now or later, into memory that it is given.
// One read at a time. The owner is a body; a Reader may be destroyed while its read is under way.
#pragma once

#include "serve/ring.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace tftpkit::serve {

// What one read came to: so many bytes, `end` when none will follow; or a failure in words.
struct ReadResult {
  std::size_t bytes = 0;
  bool end = false;
  std::optional<std::string> failure;
};

class Reader {
 public:
  using OnDone = std::function<void(ReadResult)>;

  virtual ~Reader() = default;

  // Fills `space` from its start. Either returns the result, or calls `on_done` with it later, on
  // the thread of the loop and never inside this call, unless the Reader is destroyed before.
  virtual std::optional<ReadResult> read(Space space, OnDone on_done) = 0;

  // Worth reading ahead of the need, because a read takes its time.
  [[nodiscard]] virtual bool reads_ahead() const noexcept = 0;
};

}  // namespace tftpkit::serve
