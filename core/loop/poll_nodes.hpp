// PollNodes: the memory of a loop's poll handles. libuv lets go of a handle only in a later turn, so
// the handle cannot live in the object that watches; used ones are kept for the next watch.
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
  bool closed = false;
};

class PollNodes {
 public:
  FdWatch::Node* take();
  void give_back(FdWatch::Node* node) noexcept;

 private:
  std::vector<std::unique_ptr<FdWatch::Node>> all_;
  FdWatch::Node* free_ = nullptr;
};

}  // namespace tftpkit::loop
