// Executor: threads for calls that may block, shared fairly among lanes. A lane caps how many of its
// jobs run at once, so one that hangs cannot take every thread. Knows nothing of loops or plugins.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace tftpkit::loop {

struct ExecutorState;
struct LaneState;

// A queue of jobs, first in, first out. Copies mean the same lane; every method is for any thread.
class Lane {
 public:
  // False when the executor was shut down: the job is dropped. A job must not throw.
  bool submit(std::function<void()> job);
  [[nodiscard]] std::size_t queued() const;  // waiting, not yet begun
  [[nodiscard]] unsigned running() const;    // at most cap()
  [[nodiscard]] unsigned cap() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;

 private:
  friend class Executor;
  explicit Lane(std::shared_ptr<LaneState> state) : state_{std::move(state)} {}
  std::shared_ptr<LaneState> state_;
};

class Executor {
 public:
  // Threads start here with every signal blocked but those of faults. Throws std::system_error.
  explicit Executor(unsigned threads);
  ~Executor();  // shutdown() with 5 seconds when nobody did it before
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // `cap` jobs of the lane at once: 1 makes it serial; cap is kept below the number of threads
  // where there is more than one, so that one lane alone never fills the executor.
  [[nodiscard]] Lane lane(std::string name, unsigned cap);
  [[nodiscard]] unsigned threads() const noexcept;
  [[nodiscard]] std::size_t queued() const;  // over all lanes
  [[nodiscard]] unsigned running() const;

  struct Shutdown {
    bool joined = true;            // false: threads hang in foreign code and were let go;
    unsigned hanging_threads = 0;  // leave with _exit then, they may still touch anything
    std::size_t dropped_jobs = 0;  // never begun
  };
  // No new jobs; queued ones run until `wait` is over. Once; later calls return the same.
  Shutdown shutdown(std::chrono::milliseconds wait);

 private:
  std::shared_ptr<ExecutorState> state_;
};

}  // namespace tftpkit::loop
