// FileReader: a regular file by position. What the page cache has is read on the loop; the rest by a
// lane that may block. A file that becomes shorter or is written to meanwhile is a failure, never mixed
// bytes.
#pragma once

#include "loop/executor.hpp"
#include "serve/open_file.hpp"
#include "serve/reader.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

class FileReader final : public Reader {
 public:
  // Reads [offset, offset + size), or what there is when the size is not known.
  FileReader(loop::Loop& loop, const loop::Lane& disk, OpenFile file, std::uint64_t offset,
             std::optional<std::uint64_t> size);
  ~FileReader() override;

  std::optional<ReadResult> read(Space space, OnDone on_done) override;
  [[nodiscard]] bool reads_ahead() const noexcept override { return false; }

 private:
  std::optional<ReadResult> read_on_disk(Space space, OnDone on_done);
  ReadResult took(ssize_t got);

  loop::Loop& loop_;
  loop::Lane disk_;
  std::shared_ptr<OpenFile> file_;  // a read under way keeps it open
  std::shared_ptr<bool> alive_;
  std::uint64_t position_;
  std::uint64_t end_;
};

}  // namespace tftpkit::serve
