#include "loop/alarm.hpp"

#include "loop/errors.hpp"
#include "loop/fd.hpp"
#include "loop/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::loop {

struct Alarm::State {
  Fd timer;
  std::function<void()> on_ring;
  FdWatch watch;

  void ring() const {
    std::uint64_t rings = 0;
    if (::read(timer.get(), &rings, sizeof rings) > 0) on_ring();
  }
};

Alarm::Alarm(Loop& loop, std::function<void()> on_ring)
    : state_{std::make_unique<State>(
          State{Fd{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)}, std::move(on_ring), {}})} {
  if (!state_->timer) throw_errno(errno, "cannot make a timer");
  state_->watch = FdWatch{loop, state_->timer.get(), FdWatch::Want::read,
                          [state = state_.get()](Ready) { state->ring(); }};
}

Alarm::~Alarm() = default;

void Alarm::set(std::uint64_t millisecond) noexcept {
  const auto when = static_cast<std::int64_t>(std::max<std::uint64_t>(millisecond, 1));  // 0: switched off
  itimerspec once{};
  once.it_value = {.tv_sec = when / 1000, .tv_nsec = when % 1000 * 1'000'000};
  ::timerfd_settime(state_->timer.get(), TFD_TIMER_ABSTIME, &once, nullptr);
}

}  // namespace tftpkit::loop
