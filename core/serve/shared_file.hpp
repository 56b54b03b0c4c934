// SharedFiles: the files that transfers of one loop are sending, each read once for all of them in chunks.
// Every transfer holds the chunks that its window lies in, and a chunk that nobody holds is gone: memory is
// for what is on its way. A file is known by its inode and by when it was written; who opens it after it was
// written to, or replaced, meets another one.
#pragma once

#include "host/source.hpp"
#include "loop/executor.hpp"
#include "serve/open_file.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

// Bytes [index * chunk_bytes, ...) of a file; shorter at its end.
struct Chunk {
  std::shared_ptr<std::byte[]> bytes;
  std::size_t capacity = 0;
  std::uint64_t index = 0;
  unsigned holders = 0;
};

// Waits for a chunk that is being fetched.
class ChunkWaiter {
 public:
  virtual void on_fetched() = 0;  // the chunk is there, or failure() says why not; may end this waiter

 protected:
  ~ChunkWaiter() = default;
};

class SharedFile;

class SharedFiles {
 public:
  static constexpr std::size_t chunk_bytes = 64 * 1024;  // as large as the largest block, or larger
  static constexpr std::size_t most_chunks = 256;        // that all transfers together may come to hold

  SharedFiles(loop::Loop& loop, loop::Lane disk);
  ~SharedFiles();
  SharedFiles(const SharedFiles&) = delete;
  SharedFiles& operator=(const SharedFiles&) = delete;

  // Takes the descriptor, unless the answer is null: then the file has to be read for this transfer alone,
  // because it was written so lately that its time does not tell one content from the next, or because too
  // much would be held. `window` is in bytes.
  [[nodiscard]] std::shared_ptr<SharedFile> join(host::Source& source, std::size_t window);

  // So many chunks may a transfer with such a window hold at once.
  [[nodiscard]] static constexpr std::size_t chunks_for(std::size_t window) noexcept {
    return window / chunk_bytes + 2;
  }

 private:
  friend class SharedFile;
  struct State;
  std::shared_ptr<State> state_;
};

// One file, as long as a transfer uses it. All of it on the thread of its loop.
class SharedFile final : public std::enable_shared_from_this<SharedFile> {
 public:
  SharedFile(std::shared_ptr<SharedFiles::State> home, host::Source& source);
  ~SharedFile();

  // What a transfer says of itself when it comes and goes: how many chunks it may hold at once.
  void enter(std::size_t chunks) noexcept;
  void leave(std::size_t chunks) noexcept;

  // Null when the chunk is not in memory: it is being fetched then, and the waiter will hear of it once; or
  // failure() says why it never will.
  [[nodiscard]] Chunk* hold(std::uint64_t index, ChunkWaiter& waiter);
  void let_go(Chunk& chunk) noexcept;
  void forget(const ChunkWaiter& waiter) noexcept;

  [[nodiscard]] const struct stat& status() const noexcept { return file_->at_open(); }
  [[nodiscard]] const std::optional<std::string>& failure() const noexcept { return failure_; }
  // Reads so far. Chunks that were there before a transfer opened the file are of the file that it opened.
  [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }
  // In words why the bytes so far may not belong together.
  [[nodiscard]] std::optional<std::string> fault() const { return file_->fault(); }

 private:
  friend class SharedFiles;
  struct Fetch {
    std::uint64_t index;
    std::vector<ChunkWaiter*> waiting;
  };

  [[nodiscard]] std::size_t length_of(std::uint64_t index) const noexcept;
  [[nodiscard]] std::size_t most_held(std::size_t wanted) const noexcept;
  Chunk* add(std::uint64_t index, std::unique_ptr<Chunk> chunk);
  [[nodiscard]] Chunk* find(std::uint64_t index) const noexcept;
  [[nodiscard]] Fetch* fetch_of(std::uint64_t index) noexcept;
  void fetch(std::uint64_t index, ChunkWaiter& waiter);
  void arrived(std::uint64_t index, const std::shared_ptr<std::byte[]>& bytes, ssize_t got);
  void fail(std::string why);

  std::shared_ptr<SharedFiles::State> home_;
  std::shared_ptr<const OpenFile> file_;  // a fetch under way keeps it open
  std::uint64_t size_;                    // of the file, in bytes
  std::vector<std::unique_ptr<Chunk>> held_;
  std::vector<Fetch> fetches_;
  std::vector<ChunkWaiter*> told_;  // of the fetch that has arrived, those who have not heard yet
  std::uint64_t reads_ = 0;
  std::size_t wanted_ = 0;  // chunks that its transfers may hold
  std::optional<std::string> failure_;
};

}  // namespace tftpkit::serve
