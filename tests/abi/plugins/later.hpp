// Threads that run one job after a pause each; all are gone when the object is.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

class Later {
 public:
  Later() = default;
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
  ~Later() { join(); }

  void run_after(std::chrono::milliseconds pause, std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([pause, work = std::move(job)] {
      std::this_thread::sleep_for(pause);
      work();
    });
  }

  void join() {
    std::vector<std::thread> ending;
    {
      const std::lock_guard lock(mutex_);
      ending.swap(threads_);
    }
    for (std::thread& one : ending)
      one.join();
  }

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};
