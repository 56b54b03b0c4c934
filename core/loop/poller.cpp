#include "loop/poller.hpp"

#include "loop/errors.hpp"
#include "loop/loop.hpp"
#include "loop/poll_nodes.hpp"

#include <cerrno>
#include <sys/epoll.h>
#include <utility>

namespace tftpkit::loop {

namespace {

constexpr std::uint64_t try_again_ms = 100;

void on_poll(uv_poll_t* handle, int status, int events);

// libuv puts a descriptor into epoll only when the loop next waits, and calls abort() when the kernel has no
// memory for it or the user no watch left. So we do it first, where there is somebody to tell; libuv then
// finds it there, and changing what is there takes no memory. 0 or a negated errno.
int start(FdWatch::Node& node) noexcept {
  const auto wanted = static_cast<unsigned>(node.want);
  const int events = static_cast<int>(((wanted & 1U) != 0 ? unsigned{UV_READABLE} : 0U) |
                                      ((wanted & 2U) != 0 ? unsigned{UV_WRITABLE} : 0U));
  if (events == 0) return uv_poll_stop(&node.handle);
  if (const int code = uv_poll_start(&node.handle, events, on_poll); code < 0) return code;
  epoll_event nothing_yet{};
  nothing_yet.data.fd = node.fd;
  if (::epoll_ctl(uv_backend_fd(node.handle.loop), EPOLL_CTL_ADD, node.fd, &nothing_yet) == 0) return 0;
  const int error = errno;
  if (error == EEXIST) return 0;
  uv_poll_stop(&node.handle);
  return -error;
}

// libuv answers EPOLLERR (an ICMP error is one) with UV_EBADF and stops the handle: it has to be
// started again, or the socket stays deaf. tests/facts pins it.
void on_poll(uv_poll_t* handle, int status, int events) {
  auto& node = *static_cast<FdWatch::Node*>(handle->data);
  const bool failed = status < 0;
  node.on_ready(Ready{.readable = failed || (events & UV_READABLE) != 0,
                      .writable = (events & UV_WRITABLE) != 0,
                      .error = failed});
  if (failed && !node.closed && start(node) < 0) node.home->try_later(&node);
}

}  // namespace

PollNodes::PollNodes(uv_loop_t& loop) {
  uv_timer_init(&loop, &timer_);
  timer_.data = this;
}

void PollNodes::close() noexcept {
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
}

FdWatch::Node* PollNodes::take() {
  if (free_ != nullptr) return std::exchange(free_, free_->next_free);
  deaf_.reserve(all_.size() + 1);
  all_.push_back(std::make_unique<FdWatch::Node>());
  all_.back()->home = this;
  return all_.back().get();
}

void PollNodes::try_later(FdWatch::Node* node) noexcept {
  forget(node);
  deaf_.push_back(node);
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<PollNodes*>(timer->data)->try_again(); }, try_again_ms, 0);
}

void PollNodes::forget(const FdWatch::Node* node) noexcept {
  std::erase(deaf_, node);
}

void PollNodes::try_again() noexcept {
  std::erase_if(deaf_, [](FdWatch::Node* node) { return start(*node) == 0; });
  if (!deaf_.empty()) try_later(deaf_.back());
}

void PollNodes::give_back(FdWatch::Node* node) noexcept {
  node->on_ready = nullptr;
  node->closed = false;
  node->next_free = std::exchange(free_, node);
}

FdWatch::FdWatch(Loop& loop, int fd, Want want, OnReady on_ready) {
  Node* node = loop.poll_nodes().take();
  if (const int code = uv_poll_init(loop.uv(), &node->handle, fd); code < 0) {
    loop.poll_nodes().give_back(node);
    check_uv(code, "cannot watch a descriptor");
  }
  node->handle.data = node;
  node->on_ready = std::move(on_ready);
  node->want = want;
  node->fd = fd;
  node_ = node;
  if (const int code = start(*node); code < 0) {
    close();
    check_uv(code, "cannot watch a descriptor");
  }
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
  node_->home->forget(node_);
  if (start(*node_) < 0) node_->home->try_later(node_);
}

FdWatch::Want FdWatch::wanted() const noexcept {
  return node_ == nullptr ? Want::nothing : node_->want;
}

// The callback object stays until libuv lets go of the handle: it may be running right now.
void FdWatch::close() noexcept {
  Node* node = std::exchange(node_, nullptr);
  if (node == nullptr) return;
  node->closed = true;
  node->home->forget(node);
  uv_close(reinterpret_cast<uv_handle_t*>(&node->handle), [](uv_handle_t* handle) {
    auto* closed = static_cast<Node*>(handle->data);
    closed->home->give_back(closed);
  });
}

}  // namespace tftpkit::loop
