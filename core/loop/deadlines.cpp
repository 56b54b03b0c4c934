#include "loop/deadlines.hpp"

#include "loop/alarm.hpp"

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
  explicit State(Loop& owner)
      : loop{&owner}, wheel{tick_at_or_before(owner.now())}, alarm{owner, [this] { on_alarm(); }} {}

  Loop* loop;
  Wheel wheel;
  Alarm alarm;
  std::optional<Wheel::Tick> armed;
  bool firing = false;

  void arm(Wheel::Tick tick) noexcept;
  void on_alarm();
};

void Deadlines::State::arm(Wheel::Tick tick) noexcept {
  if (armed && *armed <= tick) return;
  armed = tick;
  alarm.set(tick);
}

// The clock is read anew: with an older time nothing might be due.
void Deadlines::State::on_alarm() {
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

Deadlines::Deadlines(Loop& loop) : state_{std::make_unique<State>(loop)} {}

Deadlines::~Deadlines() = default;

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
