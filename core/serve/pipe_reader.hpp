// PipeReader: a pipe or socket in order until it ends; waits on the loop, never in a read.
#pragma once

#include "host/unique_fd.hpp"
#include "loop/poller.hpp"
#include "serve/reader.hpp"

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

class PipeReader final : public Reader {
 public:
  // Throws std::system_error when the descriptor cannot be waited for.
  PipeReader(loop::Loop& loop, host::UniqueFd fd);

  std::optional<ReadResult> read(Space space, OnDone on_done) override;
  [[nodiscard]] bool reads_ahead() const noexcept override { return true; }

 private:
  void on_readable();
  std::optional<ReadResult> try_read(const Space& space);

  host::UniqueFd fd_;
  Space space_;
  OnDone on_done_;
  loop::FdWatch watch_;
};

}  // namespace tftpkit::serve
