// The executor of room loop without threads: the same header, jobs run on the timeline when their time has
// come, as if on a thread that is not the loop's. A job's whole effect happens at its end.
#include "loop/executor.hpp"

#include "machine.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace tftpkit::loop {

using sim::Machine;

struct ExecutorState {
  unsigned threads = 0;
  bool down = false;
  std::size_t queued = 0;
  unsigned running = 0;
};

struct LaneState : std::enable_shared_from_this<LaneState> {
  std::shared_ptr<ExecutorState> executor;
  std::string name;
  unsigned cap = 1;
  unsigned running = 0;
  std::deque<std::function<void()>> jobs;

  void begin_jobs();
  void begin(std::function<void()> job);
};

void LaneState::begin_jobs() {
  while (running < cap && !jobs.empty()) {
    auto job = std::move(jobs.front());
    jobs.pop_front();
    --executor->queued;
    ++running;
    ++executor->running;
    begin(std::move(job));
  }
}

void LaneState::begin(std::function<void()> job) {
  Machine& machine = *Machine::current();
  const auto time = machine.job_time(name);
  auto run = [self = shared_from_this(), job = std::move(job)]() mutable {
    Machine::current()->elsewhere([&job] { std::exchange(job, nullptr)(); });
    --self->running;
    --self->executor->running;
    self->begin_jobs();
  };
  if (time)
    machine.timeline.after(*time, std::move(run));
  else
    machine.hang(std::move(run));
}

bool Lane::submit(std::function<void()> job) {
  if (state_->executor->down) return false;
  state_->jobs.push_back(std::move(job));
  ++state_->executor->queued;
  state_->begin_jobs();
  return true;
}

std::size_t Lane::queued() const {
  return state_->jobs.size();
}
unsigned Lane::running() const {
  return state_->running;
}
unsigned Lane::cap() const noexcept {
  return state_->cap;
}
const std::string& Lane::name() const noexcept {
  return state_->name;
}

Executor::Executor(unsigned threads) : state_{std::make_shared<ExecutorState>()} {
  state_->threads = threads;
}

Executor::~Executor() {
  state_->down = true;
}

Lane Executor::lane(std::string name, unsigned cap) {
  auto lane = std::make_shared<LaneState>();
  lane->executor = state_;
  lane->name = std::move(name);
  lane->cap = std::max(1U, std::min(cap, state_->threads > 1 ? state_->threads - 1 : 1));
  return Lane{std::move(lane)};
}

unsigned Executor::threads() const noexcept {
  return state_->threads;
}
std::size_t Executor::queued() const {
  return state_->queued;
}
unsigned Executor::running() const {
  return state_->running;
}

Executor::Shutdown Executor::shutdown(std::chrono::milliseconds) {
  state_->down = true;
  return {};
}

}  // namespace tftpkit::loop
