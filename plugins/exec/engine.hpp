// The one thread of an instance: takes requests from everywhere and hands them to the way in which this
// instance answers (Mode), with the poller that calls it. However many requests wait, there is no other
// thread.
#pragma once

#include "exec/job.hpp"
#include "exec/poller.hpp"
#include "kit/unique_fd.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tftpkit::exec {

// Everything is called on the engine's thread.
class Mode {
 public:
  Mode() = default;
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;
  virtual ~Mode() = default;

  virtual void take(Job job) = 0;
  // Limits of time, requests that were given up. As often as due() says, or more often.
  virtual void tick(Clock::time_point now) = 0;
  [[nodiscard]] virtual Clock::time_point due() const = 0;
  // Ends all that runs and answers all that is open.
  virtual void stop() = 0;
};

class Engine {
 public:
  // Throws std::system_error.
  Engine();
  ~Engine() { stop(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] Poller& poller() noexcept { return poller_; }
  void start(std::unique_ptr<Mode> mode);
  void stop();

  // [any-thread] Does not wait.
  void add(Job job);

 private:
  void run();
  void take_new();

  Poller poller_;
  kit::UniqueFd wake_;
  std::unique_ptr<Mode> mode_;
  std::mutex mutex_;
  std::vector<Job> new_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tftpkit::exec
