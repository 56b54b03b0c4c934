#include "loop/poller.hpp"

#include "loop/errors.hpp"
#include "loop/loop.hpp"
#include "loop/poll_nodes.hpp"

#include <utility>

namespace tftpkit::loop {

FdWatch::Node* PollNodes::take() {
  if (free_ != nullptr) return std::exchange(free_, free_->next_free);
  all_.push_back(std::make_unique<FdWatch::Node>());
  all_.back()->home = this;
  return all_.back().get();
}

void PollNodes::give_back(FdWatch::Node* node) noexcept {
  node->on_ready = nullptr;
  node->closed = false;
  node->next_free = std::exchange(free_, node);
}

namespace {

void on_poll(uv_poll_t* handle, int status, int events);

int start(FdWatch::Node& node) noexcept {
  const auto wanted = static_cast<unsigned>(node.want);
  const int events = static_cast<int>(((wanted & 1U) != 0 ? unsigned{UV_READABLE} : 0U) |
                                      ((wanted & 2U) != 0 ? unsigned{UV_WRITABLE} : 0U));
  return events == 0 ? uv_poll_stop(&node.handle) : uv_poll_start(&node.handle, events, on_poll);
}

// libuv answers EPOLLERR (an ICMP error is one) with UV_EBADF and stops the handle: it has to be
// started again, or the socket stays deaf. tests/facts pins it.
void on_poll(uv_poll_t* handle, int status, int events) {
  auto& node = *static_cast<FdWatch::Node*>(handle->data);
  const bool failed = status < 0;
  node.on_ready(Ready{.readable = failed || (events & UV_READABLE) != 0,
                      .writable = (events & UV_WRITABLE) != 0,
                      .error = failed});
  if (failed && !node.closed) start(node);
}

}  // namespace

FdWatch::FdWatch(Loop& loop, int fd, Want want, OnReady on_ready) {
  Node* node = loop.poll_nodes().take();
  if (const int code = uv_poll_init(loop.uv(), &node->handle, fd); code < 0) {
    loop.poll_nodes().give_back(node);
    check_uv(code, "cannot watch a descriptor");
  }
  node->handle.data = node;
  node->on_ready = std::move(on_ready);
  node->want = want;
  node_ = node;
  start(*node);
}

FdWatch::FdWatch(FdWatch&& other) noexcept : node_{std::exchange(other.node_, nullptr)} {}

FdWatch& FdWatch::operator=(FdWatch&& other) noexcept {
  if (this != &other) {
    close();
    node_ = std::exchange(other.node_, nullptr);
  }
  return *this;
}

FdWatch::~FdWatch() {
  close();
}

void FdWatch::want(Want want) noexcept {
  if (node_ == nullptr || node_->want == want) return;
  node_->want = want;
  start(*node_);
}

FdWatch::Want FdWatch::wanted() const noexcept {
  return node_ == nullptr ? Want::nothing : node_->want;
}

// The callback object stays until libuv lets go of the handle: it may be running right now.
void FdWatch::close() noexcept {
  Node* node = std::exchange(node_, nullptr);
  if (node == nullptr) return;
  node->closed = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&node->handle), [](uv_handle_t* handle) {
    auto* closed = static_cast<Node*>(handle->data);
    closed->home->give_back(closed);
  });
}

}  // namespace tftpkit::loop
