// PollNodes: the memory of a loop's poll handles. libuv lets go of a handle only in a later turn, so
// the handle cannot live in the object that watches; used ones are kept for the next watch. Those that the
// kernel had no memory for are tried again until it has.
#pragma once

#include "loop/poller.hpp"

#include <uv.h>

#include <memory>
#include <vector>

namespace tftpkit::loop {

struct FdWatch::Node {
  uv_poll_t handle{};
  PollNodes* home = nullptr;
  Node* next_free = nullptr;
  OnReady on_ready;
  Want want = Want::nothing;
  int fd = -1;
  bool closed = false;
};

class PollNodes {
 public:
  explicit PollNodes(uv_loop_t& loop);
  PollNodes(const PollNodes&) = delete;
  PollNodes& operator=(const PollNodes&) = delete;
  void close() noexcept;  // the timer; before the loop itself is closed

  FdWatch::Node* take();
  void give_back(FdWatch::Node* node) noexcept;
  // Its descriptor could not be put into epoll: again in a moment.
  void try_later(FdWatch::Node* node) noexcept;
  void forget(const FdWatch::Node* node) noexcept;

 private:
  void try_again() noexcept;

  std::vector<std::unique_ptr<FdWatch::Node>> all_;
  FdWatch::Node* free_ = nullptr;
  std::vector<FdWatch::Node*> deaf_;  // room for all of them is made in take()
  uv_timer_t timer_{};
};

}  // namespace tftpkit::loop
