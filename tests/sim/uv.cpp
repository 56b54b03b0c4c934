// libuv, as far as room loop uses it, over the simulated kernel and clock. uv_run() is what moves time: where
// libuv would wait, the next event of the timeline happens. One turn is as in libuv 1.44: wait, descriptors,
// checks, closed handles, timers.
#include "machine.hpp"

#include <uv.h>

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <utility>
#include <vector>

namespace {

using tftpkit::sim::Kernel;
using tftpkit::sim::Machine;
using tftpkit::sim::TimePoint;

template <class Handle>
using Handles = std::vector<Handle*>;

// What the library knows of one loop; hangs on uv_loop_t::data.
struct Turns {
  Handles<uv_async_t> asyncs;
  Handles<uv_prepare_t> prepares;
  Handles<uv_check_t> checks;
  Handles<uv_timer_t> timers;
  Handles<uv_poll_t> polls;
  Handles<uv_handle_t> closing;
  std::uint64_t time = 0;  // ms
  bool stopped = false;
  std::optional<TimePoint> wakes;  // the thread gets the processor then
};

Turns& turns(const uv_loop_t* loop) {
  return *static_cast<Turns*>(loop->data);
}

std::uint64_t milliseconds_now() {
  const auto now = Machine::current()->timeline.now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count());
}

TimePoint due(const uv_timer_t* timer) {
  return TimePoint(std::chrono::milliseconds(static_cast<std::int64_t>(timer->timeout)));
}

// What the handle would be told; status below 0 for an error condition.
struct Told {
  int status = 0;
  int events = 0;
};

Told told_by_real(const uv_poll_t& poll) {
  pollfd asked{poll.io_watcher.fd, static_cast<short>(poll.io_watcher.pevents), 0};
  if (::poll(&asked, 1, 0) <= 0) return {};
  const bool readable = (asked.revents & (POLLIN | POLLHUP)) != 0;
  return {0, readable ? UV_READABLE : 0};
}

bool is_real(const uv_poll_t& poll) {
  return poll.io_watcher.fd < Kernel::first_fd;
}

Told told(const uv_poll_t& poll) {
  const unsigned wanted = poll.io_watcher.pevents;
  if (wanted == 0) return {};
  if (is_real(poll)) return told_by_real(poll);
  const auto ready = Machine::current()->kernel.ready(poll.io_watcher.fd);
  if (ready.error) return {UV_EBADF, 0};
  unsigned events = 0;
  if (ready.readable && (wanted & UV_READABLE) != 0) events |= UV_READABLE;
  if (ready.writable && (wanted & UV_WRITABLE) != 0) events |= UV_WRITABLE;
  return {0, static_cast<int>(events)};
}

bool something(const Told& told) {
  return told.status < 0 || told.events != 0;
}

// The real kernel is asked only when a plugin or the server has touched a pipe since.
bool has_work(const Turns& loop) {
  const bool ask_real = std::exchange(Machine::current()->pipes_touched, false);
  const bool posted = std::any_of(loop.asyncs.begin(), loop.asyncs.end(),
                                  [](const auto* async) { return async->pending != 0; });
  const auto now = Machine::current()->timeline.now();
  return posted || !loop.closing.empty() || loop.stopped ||
         std::any_of(loop.timers.begin(), loop.timers.end(),
                     [now](const auto* timer) { return timer->timer_cb != nullptr && due(timer) <= now; }) ||
         std::any_of(loop.polls.begin(), loop.polls.end(), [ask_real](const auto* poll) {
           return (ask_real || !is_real(*poll)) && something(told(*poll));
         });
}

void run_asyncs(const Turns& loop) {
  for (auto* async : Handles<uv_async_t>(loop.asyncs))
    if (std::exchange(async->pending, 0) != 0) async->async_cb(async);
}

// As epoll_wait: the conditions of one moment, and no handle that was closed or stopped meanwhile.
void run_polls(const Turns& loop) {
  std::vector<std::pair<uv_poll_t*, Told>> ready;
  for (auto* poll : loop.polls)
    if (const Told what = told(*poll); something(what)) ready.emplace_back(poll, what);
  for (const auto& [poll, what] : ready) {
    if (std::find(loop.polls.begin(), loop.polls.end(), poll) == loop.polls.end()) continue;
    if (poll->io_watcher.pevents == 0) continue;
    if (what.status < 0) poll->io_watcher.pevents = 0;  // libuv stops the handle before it tells of an error
    poll->poll_cb(poll, what.status, what.events);
  }
}

void run_timers(Turns& loop) {
  loop.time = milliseconds_now();
  for (auto* timer : Handles<uv_timer_t>(loop.timers)) {
    if (timer->timer_cb == nullptr || timer->timeout > loop.time) continue;
    std::exchange(timer->timer_cb, nullptr)(timer);
  }
}

void run_closing(Turns& loop) {
  for (auto* handle : std::exchange(loop.closing, {}))
    if (handle->close_cb != nullptr) handle->close_cb(handle);
}

void turn(Turns& loop) {
  for (auto* prepare : loop.prepares)
    prepare->prepare_cb(prepare);
  loop.time = milliseconds_now();
  run_asyncs(loop);
  run_polls(loop);
  for (auto* check : loop.checks)
    check->check_cb(check);
  run_closing(loop);
  run_timers(loop);
  Machine::current()->pipes_touched = true;
}

std::optional<TimePoint> next_moment(const Turns& loop) {
  auto next = Machine::current()->timeline.next();
  for (const auto* timer : loop.timers)
    if (timer->timer_cb != nullptr && (!next || due(timer) < *next)) next = due(timer);
  return next;
}

// Lets time pass until the loop's thread runs; false when nothing will ever happen again, or nothing up to
// then.
bool wait(Turns& loop, std::optional<TimePoint> until = std::nullopt) {
  Machine& machine = *Machine::current();
  const auto too_late = [until](TimePoint when) { return until && when > *until; };
  while (true) {
    if (!loop.wakes && has_work(loop)) loop.wakes = machine.timeline.now() + machine.kernel.wake_latency();
    const auto event = machine.timeline.next();
    if (loop.wakes && (!event || *event > *loop.wakes)) {
      if (too_late(*loop.wakes)) return false;
      machine.timeline.move_to(*std::exchange(loop.wakes, std::nullopt));
      return true;
    }
    const auto next = next_moment(loop);
    if (!next) return false;
    const bool step = event && (loop.wakes || *event <= *next);
    if (too_late(step ? *event : *next)) return false;
    if (step)
      machine.timeline.step();
    else
      machine.timeline.move_to(*next);
  }
}

// While another thread waits for something.
void run_until(Turns& loop, TimePoint until) {
  while (!loop.stopped && wait(loop, until))
    turn(loop);
  if (!loop.stopped) Machine::current()->timeline.move_to(until);
}

template <class Handle>
void begin(uv_loop_t* loop, Handle* handle, Handles<Handle>& among) {
  handle->loop = loop;
  among.push_back(handle);
}

}  // namespace

int uv_loop_init(uv_loop_t* loop) {
  loop->data = std::make_unique<Turns>().release();
  turns(loop).time = milliseconds_now();
  return 0;
}

int uv_backend_fd(const uv_loop_t*) {
  return Kernel::first_fd - 1;  // nobody's: epoll_ctl is ours as well
}

int uv_loop_close(uv_loop_t* loop) {
  const std::unique_ptr<Turns> gone{static_cast<Turns*>(std::exchange(loop->data, nullptr))};
  const bool left =
      !gone->asyncs.empty() || !gone->timers.empty() || !gone->polls.empty() || !gone->closing.empty();
  return left ? UV_EBUSY : 0;
}

int uv_run(uv_loop_t* loop, uv_run_mode mode) {
  Turns& own = turns(loop);
  if (mode == UV_RUN_NOWAIT) {
    run_closing(own);
    return 0;
  }
  auto& run_on = Machine::current()->run_loop_until;
  run_on = [&own](TimePoint until) { run_until(own, until); };
  while (!std::exchange(own.stopped, false) && wait(own))
    turn(own);
  run_on = nullptr;
  return 0;
}

void uv_stop(uv_loop_t* loop) {
  turns(loop).stopped = true;
}

std::uint64_t uv_now(const uv_loop_t* loop) {
  return turns(loop).time;
}

int uv_async_init(uv_loop_t* loop, uv_async_t* async, uv_async_cb callback) {
  async->async_cb = callback;
  async->pending = 0;
  begin(loop, async, turns(loop).asyncs);
  return 0;
}

int uv_async_send(uv_async_t* async) {
  async->pending = 1;
  return 0;
}

int uv_prepare_init(uv_loop_t* loop, uv_prepare_t* prepare) {
  prepare->loop = loop;
  return 0;
}

int uv_prepare_start(uv_prepare_t* prepare, uv_prepare_cb callback) {
  prepare->prepare_cb = callback;
  turns(prepare->loop).prepares.push_back(prepare);
  return 0;
}

int uv_check_init(uv_loop_t* loop, uv_check_t* check) {
  check->loop = loop;
  return 0;
}

int uv_check_start(uv_check_t* check, uv_check_cb callback) {
  check->check_cb = callback;
  turns(check->loop).checks.push_back(check);
  return 0;
}

int uv_timer_init(uv_loop_t* loop, uv_timer_t* timer) {
  timer->timer_cb = nullptr;
  begin(loop, timer, turns(loop).timers);
  return 0;
}

int uv_timer_start(uv_timer_t* timer, uv_timer_cb callback, std::uint64_t timeout, std::uint64_t) {
  timer->timer_cb = callback;
  timer->timeout = turns(timer->loop).time + timeout;
  return 0;
}

int uv_poll_init(uv_loop_t* loop, uv_poll_t* poll, int fd) {
  poll->io_watcher.fd = fd;
  poll->io_watcher.pevents = 0;
  if (fd < Kernel::first_fd) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  begin(loop, poll, turns(loop).polls);
  return 0;
}

int uv_poll_start(uv_poll_t* poll, int events, uv_poll_cb callback) {
  poll->io_watcher.pevents = static_cast<unsigned>(events);
  poll->poll_cb = callback;
  return 0;
}

int uv_poll_stop(uv_poll_t* poll) {
  poll->io_watcher.pevents = 0;
  return 0;
}

void uv_close(uv_handle_t* handle, uv_close_cb callback) {
  Turns& own = turns(handle->loop);
  const auto* gone = static_cast<void*>(handle);
  const auto let_go = [gone](auto& handles) {
    std::erase_if(handles, [gone](const auto* each) { return static_cast<const void*>(each) == gone; });
  };
  let_go(own.asyncs);
  let_go(own.prepares);
  let_go(own.checks);
  let_go(own.timers);
  let_go(own.polls);
  handle->close_cb = callback;
  own.closing.push_back(handle);
}
