// The alarm of room loop on virtual time: the timer of our libuv.
#include "loop/alarm.hpp"

#include "loop/loop.hpp"

#include <uv.h>

#include <algorithm>
#include <utility>

namespace tftpkit::loop {

struct Alarm::State {
  uv_timer_t timer{};
  Loop* loop = nullptr;
  std::function<void()> on_ring;
};

Alarm::Alarm(Loop& loop, std::function<void()> on_ring)
    : state_{std::make_unique<State>(State{{}, &loop, std::move(on_ring)})} {
  uv_timer_init(loop.uv(), &state_->timer);
  state_->timer.data = state_.get();
}

Alarm::~Alarm() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_.release()->timer),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

void Alarm::set(std::uint64_t millisecond) noexcept {
  const std::uint64_t now = uv_now(state_->loop->uv());
  const std::uint64_t delay = std::max(millisecond, now) - now;
  uv_timer_start(
      &state_->timer, [](uv_timer_t* timer) { static_cast<State*>(timer->data)->on_ring(); }, delay, 0);
}

}  // namespace tftpkit::loop
