#include "machine.hpp"

#include <utility>

namespace tftpkit::sim {

Machine* Machine::current_ = nullptr;

Machine::Machine(Random random) : kernel{timeline, random} {
  current_ = this;
}

Machine::~Machine() {
  current_ = nullptr;
}

void Machine::elsewhere(const std::function<void()>& work) {
  const unsigned long before = std::exchange(thread_, ++threads_);
  work();
  thread_ = before;
}

void Machine::let_pass(Duration time) {
  if (!run_loop_until || std::exchange(waiting_, true)) return;
  const unsigned long waits = std::exchange(thread_, 0);
  run_loop_until(timeline.now() + time);
  thread_ = waits;
  waiting_ = false;
}

void Machine::release_hanging() {
  for (auto& job : std::exchange(hanging_, {}))
    timeline.after({}, std::move(job));
}

}  // namespace tftpkit::sim
