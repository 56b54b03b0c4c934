// Alarm: wakes its loop once at a time. It is a descriptor of the kernel's and not the time that the loop
// waits at most: that would be set anew with every wait, while an alarm that is set stays set. Knows nothing
// of who is woken.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace tftpkit::loop {

class Loop;

class Alarm {
 public:
  // Throws std::system_error when the kernel has no descriptor for it.
  Alarm(Loop& loop, std::function<void()> on_ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Rings at this millisecond of the steady clock, or in the next turn when it has passed. The time set last
  // counts.
  void set(std::uint64_t millisecond) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tftpkit::loop
