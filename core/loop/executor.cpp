#include "loop/executor.hpp"

#include "observe/signals_blocked.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace tftpkit::loop {

using Job = std::function<void()>;
using Clock = std::chrono::steady_clock;

namespace {

// Jobs that take less than this do not need a thread each: one does many of them in the time that waking
// another would take.
constexpr std::chrono::microseconds quick{100};
// So long may jobs wait because the thread that should come back for them does not.
constexpr std::chrono::milliseconds patience{1};
// In what a lane's jobs usually take the last one counts for one of so many.
constexpr int memory_of_jobs = 8;

}  // namespace

// Shared by the threads: one that hangs and is let go still finds it alive.
struct ExecutorState {
  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable thread_left;
  std::condition_variable guard_needed;
  std::deque<std::shared_ptr<LaneState>> ready;  // lanes with a job that may begin; each at most once
  std::vector<std::weak_ptr<LaneState>> lanes;
  std::size_t queued = 0;
  unsigned running = 0;
  unsigned threads_inside = 0;
  unsigned quick_running = 0;  // jobs of lanes whose jobs are quick: their threads come back for more
  bool coming = false;         // a thread has been woken for such a job and has not looked yet
  bool held_back = false;      // jobs wait for those threads, the guard looks after them
  std::uint64_t taken = 0;     // jobs begun
  bool closed = false;         // no new jobs
  bool abandoned = false;      // threads leave without looking at the queue
  unsigned thread_count = 0;
  std::vector<std::thread> threads;
  std::thread guard;
  std::optional<Executor::Shutdown> outcome;

  void make_ready(const std::shared_ptr<LaneState>& lane);
  void wake_for(const LaneState& lane);
  std::pair<std::shared_ptr<LaneState>, Job> take();
  void finish(const std::shared_ptr<LaneState>& lane, bool was_quick, Clock::duration took);
  void run_thread(std::unique_lock<std::mutex> lock);
  void run_guard(std::unique_lock<std::mutex> lock);
};

struct LaneState {
  std::shared_ptr<ExecutorState> executor;
  std::string name;
  unsigned cap = 1;
  // Under the executor's mutex:
  std::deque<Job> jobs;
  unsigned running = 0;
  bool is_ready = false;
  Clock::duration usual = quick;  // what a job takes; until that is known, none counts as quick

  [[nodiscard]] bool is_quick() const noexcept { return usual < quick; }
  [[nodiscard]] bool may_begin() const noexcept { return !jobs.empty() && running < cap; }
};

void ExecutorState::make_ready(const std::shared_ptr<LaneState>& lane) {
  if (lane->is_ready || !lane->may_begin()) return;
  lane->is_ready = true;
  ready.push_back(lane);
  wake_for(*lane);
}

void ExecutorState::wake_for(const LaneState& lane) {
  if (!lane.is_quick() || (quick_running == 0 && !coming)) {
    coming = coming || lane.is_quick();
    work_came.notify_one();
  } else if (!held_back) {
    held_back = true;
    guard_needed.notify_one();
  }
}

// Only while jobs are held back: when none of them was begun for a while, a further thread is.
void ExecutorState::run_guard(std::unique_lock<std::mutex> lock) {
  while (!abandoned) {
    guard_needed.wait(lock, [this] { return abandoned || held_back; });
    const std::uint64_t before = taken;
    guard_needed.wait_for(lock, patience, [this] { return abandoned; });
    held_back = !ready.empty();
    if (held_back && taken == before) work_came.notify_one();
  }
}

// Round robin: a lane that has more goes to the end.
std::pair<std::shared_ptr<LaneState>, Job> ExecutorState::take() {
  auto lane = std::move(ready.front());
  ready.pop_front();
  lane->is_ready = false;
  Job job = std::move(lane->jobs.front());
  lane->jobs.pop_front();
  --queued;
  ++running;
  ++lane->running;
  ++taken;
  coming = coming && !ready.empty();  // or who comes finds nothing, and does not say so
  make_ready(lane);
  if (closed && queued == 0) work_came.notify_all();
  return {std::move(lane), std::move(job)};
}

void ExecutorState::finish(const std::shared_ptr<LaneState>& lane, bool was_quick, Clock::duration took) {
  --running;
  --lane->running;
  if (was_quick) --quick_running;
  lane->usual += (took - lane->usual) / memory_of_jobs;
  make_ready(lane);
}

void ExecutorState::run_thread(std::unique_lock<std::mutex> lock) {
  while (true) {
    work_came.wait(lock, [this] { return abandoned || !ready.empty() || (closed && queued == 0); });
    coming = false;
    if (abandoned || ready.empty()) break;
    const bool is_quick = ready.front()->is_quick();
    if (is_quick) ++quick_running;
    auto [lane, job] = take();
    lock.unlock();
    const auto began = Clock::now();
    try {
      job();
    } catch (const std::bad_alloc&) {  // whoever waits for it has a deadline
    }
    job = nullptr;  // what it captured is destroyed outside the lock
    const auto took = Clock::now() - began;
    lock.lock();
    finish(lane, is_quick, took);
  }
  --threads_inside;
  thread_left.notify_all();
}

bool Lane::submit(std::function<void()> job) {
  ExecutorState& executor = *state_->executor;
  const std::lock_guard lock{executor.mutex};
  if (executor.closed) return false;
  state_->jobs.push_back(std::move(job));
  ++executor.queued;
  executor.make_ready(state_);
  return true;
}

std::size_t Lane::queued() const {
  const std::lock_guard lock{state_->executor->mutex};
  return state_->jobs.size();
}

unsigned Lane::running() const {
  const std::lock_guard lock{state_->executor->mutex};
  return state_->running;
}

unsigned Lane::cap() const noexcept {
  return state_->cap;
}

const std::string& Lane::name() const noexcept {
  return state_->name;
}

// Plugins run on these threads: signals belong to the loop.
Executor::Executor(unsigned threads) : state_{std::make_shared<ExecutorState>()} {
  state_->thread_count = std::max(threads, 1U);
  const observe::SignalsBlocked blocked;
  state_->threads_inside = state_->thread_count;
  try {
    state_->guard = std::thread{[state = state_] { state->run_guard(std::unique_lock{state->mutex}); }};
    for (unsigned started = 0; started < state_->thread_count; ++started) {
      state_->threads.emplace_back([state = state_] {
        std::unique_lock lock{state->mutex};
        state->run_thread(std::move(lock));
      });
    }
  } catch (...) {
    {
      const std::lock_guard lock{state_->mutex};
      state_->threads_inside -= state_->thread_count - static_cast<unsigned>(state_->threads.size());
    }
    shutdown(std::chrono::seconds{5});
    throw;
  }
}

Executor::~Executor() {
  shutdown(std::chrono::seconds{5});
}

Lane Executor::lane(std::string name, unsigned cap) {
  auto lane = std::make_shared<LaneState>();
  lane->executor = state_;
  lane->name = std::move(name);
  lane->cap = std::clamp(cap, 1U, std::max(state_->thread_count - 1, 1U));
  const std::lock_guard lock{state_->mutex};
  std::erase_if(state_->lanes, [](const auto& known) { return known.expired(); });
  state_->lanes.push_back(lane);
  return Lane{std::move(lane)};
}

unsigned Executor::threads() const noexcept {
  return state_->thread_count;
}

std::size_t Executor::queued() const {
  const std::lock_guard lock{state_->mutex};
  return state_->queued;
}

unsigned Executor::running() const {
  const std::lock_guard lock{state_->mutex};
  return state_->running;
}

namespace {

// Jobs are moved out under the lock and destroyed by the caller outside it.
std::vector<Job> drop_queued(ExecutorState& executor) {
  std::vector<Job> dropped;
  for (const auto& known : executor.lanes) {
    const auto lane = known.lock();
    if (!lane) continue;
    lane->is_ready = false;
    std::move(lane->jobs.begin(), lane->jobs.end(), std::back_inserter(dropped));
    lane->jobs.clear();
  }
  executor.ready.clear();
  return dropped;
}

}  // namespace

Executor::Shutdown Executor::shutdown(std::chrono::milliseconds wait) {
  std::vector<Job> dropped;
  std::unique_lock lock{state_->mutex};
  if (state_->outcome) return *state_->outcome;
  state_->closed = true;
  state_->work_came.notify_all();
  const auto all_left = [this] { return state_->threads_inside == 0; };
  Shutdown outcome;
  outcome.joined = state_->thread_left.wait_for(lock, wait, all_left);
  outcome.dropped_jobs = std::exchange(state_->queued, 0);
  dropped = drop_queued(*state_);
  state_->abandoned = true;
  state_->work_came.notify_all();
  state_->guard_needed.notify_all();
  // Threads that only waited for work leave now; those inside a job do not.
  state_->thread_left.wait(lock, [this] { return state_->threads_inside == state_->running; });
  outcome.hanging_threads = state_->threads_inside;
  outcome.joined = outcome.hanging_threads == 0;
  state_->outcome = outcome;
  auto threads = std::move(state_->threads);
  auto guard = std::move(state_->guard);
  lock.unlock();
  if (guard.joinable()) guard.join();
  for (auto& thread : threads)
    outcome.joined ? thread.join() : thread.detach();
  return outcome;
}

}  // namespace tftpkit::loop
