// One request on its way to an answer. The request's memory is the host's, and there until the answer is
// given.
#pragma once

#include <tftpkit/plugin.hpp>

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace tftpkit::exec {

using Clock = std::chrono::steady_clock;

class Job {
 public:
  // `open` counts the jobs that there are.
  Job(Pending answer, const tftpkit_request& request, std::atomic<std::size_t>& open)
      : answer_(answer), request_(&request), counted_(&open) {
    open.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] const tftpkit_request& request() const noexcept { return *request_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return answer_.request_id(); }
  [[nodiscard]] bool cancelled() const noexcept { return answer_.cancelled(); }
  // Once, and always; nothing of the request is looked at afterwards.
  void answer(Answer answer) {
    counted_.reset();
    static_cast<void>(answer_.complete(std::move(answer)));
  }

 private:
  struct CountDown {
    void operator()(std::atomic<std::size_t>* open) const noexcept {
      open->fetch_sub(1, std::memory_order_relaxed);
    }
  };

  Pending answer_;
  const tftpkit_request* request_;
  std::unique_ptr<std::atomic<std::size_t>, CountDown> counted_;
};

}  // namespace tftpkit::exec
