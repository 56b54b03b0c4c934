// PluginWatch: tells when something in the plugin directories may have changed, once for a burst of changes.
// Knows names and events only; what the files are is for whoever scans them afterwards.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/fd.hpp"
#include "loop/loop.hpp"
#include "loop/poller.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

struct inotify_event;

namespace tftpkit::serve {

class PluginWatch {
 public:
  // Throws std::system_error when the kernel gives no inotify. Everything on the loop's thread.
  PluginWatch(loop::Loop& loop, std::function<void()> on_change);
  ~PluginWatch();
  PluginWatch(const PluginWatch&) = delete;
  PluginWatch& operator=(const PluginWatch&) = delete;

  // From now on these and the directories directly in them. One that does not exist is waited for. False: it
  // is so already; else what they hold has to be looked at once more.
  bool watch(const std::vector<std::filesystem::path>& directories);

 private:
  void on_readable();
  [[nodiscard]] bool matters(const inotify_event& event) const;
  void on_quiet();
  void look_for_directories();

  loop::Deadlines deadlines_;
  loop::Deadline quiet_;
  std::function<void()> on_change_;
  std::vector<std::filesystem::path> directories_;
  std::map<int, std::filesystem::path> watched_;  // by watch descriptor
  loop::TimePoint since_{};                       // the first event of a burst
  loop::Fd inotify_;
  loop::FdWatch readable_;
};

}  // namespace tftpkit::serve
