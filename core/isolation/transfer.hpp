// The server's side of one request at an isolated instance: what keeps its bytes, and the reading end of a
// stream. Knows no socket; its owner carries the messages.
#pragma once

#include "isolation/shared_memory.hpp"

#include <tftpkit/plugin.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace tftpkit::isolation {

// A stream as it comes through the ring: the other process writes, this one reads, messages say how far.
class Stream {
 public:
  // `want_more(taken)` tells the other side that bytes before `taken` may go; called by the reading thread.
  Stream(std::unique_ptr<Mapping> ring, std::function<void(std::uint64_t taken)> want_more);

  // Waits for bytes. As tftpkit_plugin::read; `why` says why it failed.
  std::int64_t read(std::span<std::byte> into, std::string& why);
  // Ends a read that waits, and all later ones. [any-thread]
  void cancel();

  // The other side says how far it has come; false when that is impossible. [any-thread]
  bool on_filled(std::uint64_t filled, bool ended);
  // No more will come, for this reason; what came can still be read. [any-thread]
  void on_broken(tftpkit_status status, std::string why);

 private:
  std::size_t copy_out(std::span<std::byte> into);

  const std::unique_ptr<Mapping> ring_;
  const std::function<void(std::uint64_t)> want_more_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t filled_ = 0;
  std::uint64_t taken_ = 0;
  bool asked_ = true;  // the other side begins by itself
  bool ended_ = false;
  bool cancelled_ = false;
  tftpkit_status broken_ = TFTPKIT_OK;
  std::string why_;
};

struct Transfer {
  std::uint64_t id = 0;
  std::uint64_t process = 0;  // which one, counted from the first
  bool answered = false;
  // One of these, once it is answered; none for a descriptor, a redirect, and what is still open.
  std::vector<std::byte> bytes;
  std::unique_ptr<Mapping> memory;
  std::unique_ptr<Stream> stream;

  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return memory ? memory->bytes().size() : 0; }
};

}  // namespace tftpkit::isolation
