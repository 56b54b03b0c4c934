#include "loop/deadlines.hpp"

#include "loop/errors.hpp"

#include <uv.h>

#include <optional>

namespace tftpkit::loop {
namespace {

using Milliseconds = std::chrono::duration<Wheel::Tick, std::milli>;

Wheel::Tick tick_at_or_before(TimePoint time) noexcept {
  return std::chrono::floor<Milliseconds>(time.time_since_epoch()).count();
}

Wheel::Tick tick_at_or_after(TimePoint time) noexcept {
  if (time.time_since_epoch().count() < 0) return 0;
  return std::chrono::ceil<Milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

struct Deadlines::State {
  explicit State(Loop& owner) : loop{&owner}, wheel{tick_at_or_before(owner.now())} {}

  uv_timer_t timer{};
  Loop* loop;
  Wheel wheel;
  std::optional<Wheel::Tick> armed;
  bool firing = false;

  void arm(Wheel::Tick tick) noexcept;
  void on_timer();
};

// uv_now() counts the same milliseconds as steady_clock: both are CLOCK_MONOTONIC. The difference to
// the loop's own (perhaps stale) time makes the timer absolute.
void Deadlines::State::arm(Wheel::Tick tick) noexcept {
  if (armed && *armed <= tick) return;
  armed = tick;
  const std::uint64_t loop_time = uv_now(loop->uv());
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { static_cast<State*>(handle->data)->on_timer(); },
      tick > loop_time ? tick - loop_time : 0, 0);
}

// The clock is read anew: with a time older than libuv's nothing would be due, and libuv would call a
// timer armed with 0 again at once, for ever.
void Deadlines::State::on_timer() {
  armed.reset();
  firing = true;
  loop->refresh_now();
  wheel.advance(tick_at_or_before(loop->now()));
  while (WheelNode* due = wheel.next_due()) {
    auto* node = static_cast<Deadline::Node*>(due);
    node->on_due(node->owner);
  }
  firing = false;
  if (const auto next = wheel.next_event()) arm(*next);
}

Deadlines::Deadlines(Loop& loop) : state_{std::make_unique<State>(loop)} {
  uv_timer_init(loop.uv(), &state_->timer);
  state_->timer.data = state_.get();
}

Deadlines::~Deadlines() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_.release()->timer),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

void Deadlines::set(Deadline& deadline, TimePoint when) noexcept {
  state_->wheel.set(deadline.node_, tick_at_or_after(when));
  if (!state_->firing) state_->arm(deadline.node_.tick());
}

void Deadlines::set_after(Deadline& deadline, std::chrono::nanoseconds delay) noexcept {
  set(deadline, state_->loop->now() + delay);
}

void Deadlines::cancel(Deadline& deadline) noexcept {
  Wheel::cancel(deadline.node_);
}

}  // namespace tftpkit::loop
