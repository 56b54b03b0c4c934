// Notices that files or directories have changed, on a thread of its own: by inotify, and by looking now and
// then, because network file systems and links into other directories tell inotify nothing. Knows nothing of
// what is in them. The thread lives from start() to stop().
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

namespace tftpkit::kit {

class Watch {
 public:
  // `changed` runs on the thread; it may take its time. `look_every`: without word from inotify.
  Watch(std::vector<std::filesystem::path> paths, std::function<void()> changed,
        std::chrono::milliseconds look_every = std::chrono::seconds(10));
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Other paths from now on. Not beside a running thread, but for a call from `changed`. True: they differ.
  bool set_paths(std::vector<std::filesystem::path> paths);
  // What is there now counts as seen. Not beside a running thread.
  void remember() { seen_ = state(); }
  void start();
  void stop();

 private:
  void run();
  void watch_directories(int inotify) const;
  // True when the thread shall end.
  bool wait(int inotify, int milliseconds) const;
  [[nodiscard]] std::uint64_t state() const;

  std::vector<std::filesystem::path> paths_;
  std::function<void()> changed_;
  std::chrono::milliseconds look_every_;
  std::uint64_t seen_ = 0;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace tftpkit::kit
