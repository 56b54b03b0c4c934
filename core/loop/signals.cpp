#include "loop/signals.hpp"

#include "loop/errors.hpp"
#include "loop/loop.hpp"

#include <uv.h>

namespace tftpkit::loop {

struct SignalWatch::State {
  uv_signal_t handle{};
  std::function<void()> on_signal;
};

SignalWatch::SignalWatch(Loop& loop, int signal_number, std::function<void()> on_signal)
    : state_{new State{.handle = {}, .on_signal = std::move(on_signal)}} {
  if (const int code = uv_signal_init(loop.uv(), &state_->handle); code < 0) {
    delete state_;
    check_uv(code, "cannot watch for a signal");
  }
  state_->handle.data = state_;
  const int code = uv_signal_start(
      &state_->handle, [](uv_signal_t* handle, int) { static_cast<State*>(handle->data)->on_signal(); },
      signal_number);
  if (code < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
    check_uv(code, "cannot watch for a signal");
  }
}

SignalWatch::~SignalWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace tftpkit::loop
