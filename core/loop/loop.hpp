// Loop: one libuv loop, run by one thread, with a clock that stands still within a turn and a
// post() for other threads. Everything built on a Loop must be destroyed before it, on its thread
// or while it does not run.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

struct uv_loop_s;

namespace tftpkit::loop {

class PollNodes;

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

class Loop {
 public:
  Loop();   // throws std::system_error when the kernel gives no descriptors
  ~Loop();  // closes its handles; posted work that never ran is destroyed unrun
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(); may be called again afterwards. The calling thread becomes the loop's thread.
  void run();
  // From any thread; also before run(), which then returns after one turn.
  void stop();
  // From any thread, any time: `work` runs once, on the loop's thread, in the order posted, never
  // inside this call. Work posted while posted work runs waits for the next turn.
  void post(std::function<void()> work);

  // The time at which this turn's events were first looked at. Loop's thread only.
  [[nodiscard]] TimePoint now() noexcept;
  // After something slow: the next now() reads the clock again.
  void refresh_now() noexcept;
  [[nodiscard]] bool on_own_thread() const noexcept;

  // For the classes of this room.
  [[nodiscard]] uv_loop_s* uv() noexcept;
  [[nodiscard]] PollNodes& poll_nodes() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tftpkit::loop
