// Machine: what the server's process stands on: clock, kernel, threads for blocking work. There is one at a
// time; the replaced system calls, libuv and executor find it here.
#pragma once

#include "kernel.hpp"
#include "random.hpp"
#include "timeline.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::sim {

class Machine {
 public:
  explicit Machine(Random random);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  static Machine* current() noexcept { return current_; }

  Timeline timeline;
  Kernel kernel;
  bool pipes_touched = false;  // real ones, of plugins
  // How long the next job of a lane takes; nothing: it hangs until release_hanging().
  std::function<std::optional<Duration>(const std::string& lane)> job_time;

  void hang(std::function<void()> job) { hanging_.push_back(std::move(job)); }
  void release_hanging();

  // 0: the loop's thread.
  [[nodiscard]] unsigned long thread() const noexcept { return thread_; }
  // Runs on a thread that is not the loop's.
  void elsewhere(const std::function<void()>& work);

  // How the loop's thread runs on until then, set by our libuv while the loop runs.
  std::function<void(TimePoint)> run_loop_until;
  // The thread of now waits, all others go on. One at a time waits: a second one returns at once.
  void let_pass(Duration time);

 private:
  static Machine* current_;
  unsigned long thread_ = 0;
  unsigned long threads_ = 0;
  bool waiting_ = false;
  std::vector<std::function<void()>> hanging_;
};

}  // namespace tftpkit::sim
