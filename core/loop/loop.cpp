#include "loop/loop.hpp"

#include "loop/errors.hpp"
#include "loop/poll_nodes.hpp"

#include <uv.h>

#include <atomic>
#include <cassert>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

namespace tftpkit::loop {

struct Loop::State {
  uv_loop_t loop{};
  uv_async_t wake{};
  // Before the wait for events and after their callbacks the cached time is forgotten.
  uv_prepare_t before_wait{};
  uv_check_t after_events{};
  std::optional<PollNodes> poll_nodes;  // from when there is a loop
  std::thread::id thread;
  TimePoint now;
  bool now_known = false;
  bool turning = false;
  std::atomic<bool> stop_asked{false};
  std::mutex mutex;
  std::vector<std::function<void()>> posted;   // under the mutex
  std::vector<std::function<void()>> running;  // the loop's thread only

  void run_posted();
};

void Loop::State::run_posted() {
  {
    const std::lock_guard lock{mutex};
    running.swap(posted);
  }
  for (auto& work : running) {
    try {
      work();
    } catch (const std::bad_alloc&) {  // whoever waits for it has a deadline
    }
  }
  running.clear();
  if (stop_asked.exchange(false)) uv_stop(&loop);
}

Loop::Loop() : state_{std::make_unique<State>()} {
  State* state = state_.get();
  check_uv(uv_loop_init(&state->loop), "cannot make an event loop");
  if (const int code = uv_async_init(&state->loop, &state->wake,
                                     [](uv_async_t* wake) { static_cast<State*>(wake->data)->run_posted(); });
      code < 0) {
    uv_loop_close(&state->loop);
    check_uv(code, "cannot make an event loop's wake-up");
  }
  state->poll_nodes.emplace(state->loop);
  uv_prepare_init(&state->loop, &state->before_wait);
  uv_check_init(&state->loop, &state->after_events);
  state->wake.data = state->before_wait.data = state->after_events.data = state;
  uv_prepare_start(&state->before_wait,
                   [](uv_prepare_t* handle) { static_cast<State*>(handle->data)->now_known = false; });
  uv_check_start(&state->after_events,
                 [](uv_check_t* handle) { static_cast<State*>(handle->data)->now_known = false; });
}

Loop::~Loop() {
  state_->running.clear();
  std::vector<std::function<void()>> never_run;
  {
    const std::lock_guard lock{state_->mutex};
    never_run.swap(state_->posted);
  }
  never_run.clear();
  state_->poll_nodes->close();
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->wake), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->before_wait), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->after_events), nullptr);
  // Two turns: a close callback may still close something.
  for (int turn = 0; turn < 2; ++turn)
    uv_run(&state_->loop, UV_RUN_NOWAIT);
  [[maybe_unused]] const int code = uv_loop_close(&state_->loop);
  assert(code == 0 && "something built on the loop outlives it");
}

void Loop::run() {
  state_->thread = std::this_thread::get_id();
  state_->now_known = false;
  state_->turning = true;
  uv_run(&state_->loop, UV_RUN_DEFAULT);
  state_->turning = false;
}

void Loop::stop() {
  state_->stop_asked = true;
  uv_async_send(&state_->wake);
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock{state_->mutex};
    state_->posted.push_back(std::move(work));
  }
  uv_async_send(&state_->wake);
}

TimePoint Loop::now() noexcept {
  if (!state_->now_known) {
    state_->now = Clock::now();
    state_->now_known = state_->turning;  // outside run() nothing would make it forgotten
  }
  return state_->now;
}

void Loop::refresh_now() noexcept {
  state_->now_known = false;
}

bool Loop::on_own_thread() const noexcept {
  return state_->thread == std::this_thread::get_id();
}

uv_loop_s* Loop::uv() noexcept {
  return &state_->loop;
}

PollNodes& Loop::poll_nodes() noexcept {
  return *state_->poll_nodes;
}

}  // namespace tftpkit::loop
