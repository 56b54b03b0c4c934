// Threads that run one job after a pause each; nothing of one is left when its job is done, and all are gone
// when the object is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

class Later {
 public:
  Later() = default;
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
  ~Later() { join(); }

  void run_after(std::chrono::milliseconds pause, std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    std::thread([this, pause, work = std::move(job)]() mutable {
      std::this_thread::sleep_for(pause);
      work();
      work = nullptr;
      const std::lock_guard lock(mutex_);
      --running_;
      none_left_.notify_all();
    }).detach();
  }

  void join() {
    std::unique_lock lock(mutex_);
    none_left_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_left_;
  int running_ = 0;
};
