#include "serve/plugin_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <sys/inotify.h>
#include <system_error>
#include <utility>

namespace tftpkit::serve {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A plugin and its settings are two files, an upgrade is many: wait until nothing has come for a while, but
// not for ever.
constexpr auto quiet_time = 50ms;
constexpr auto longest_burst = 1s;

constexpr std::uint32_t content_mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                                       IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

fs::path nearest_existing(fs::path path) {
  std::error_code ignored;
  while (!fs::is_directory(path, ignored) && path.has_relative_path())
    path = path.parent_path();
  return path;
}

// What has to be watched so that nothing in these directories is missed.
std::vector<fs::path> wanted(const std::vector<fs::path>& directories) {
  std::vector<fs::path> all;
  for (const auto& directory : directories) {
    all.push_back(nearest_existing(directory));
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      if (at->is_directory(ignored)) all.push_back(at->path());
    }
  }
  return all;
}

// Created and then written is told by its closing; a link is never written.
bool complete_when_created(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(fs::symlink_status(path, ignored)) || fs::hard_link_count(path, ignored) > 1;
}

}  // namespace

PluginWatch::PluginWatch(loop::Loop& loop, std::function<void()> on_change)
    : deadlines_{loop}, quiet_{loop::Deadline::calls<&PluginWatch::on_quiet>(this)},
      on_change_{std::move(on_change)}, inotify_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {
  if (!inotify_) throw std::system_error(errno, std::generic_category(), "inotify_init1");
  readable_ =
      loop::FdWatch{loop, inotify_.get(), loop::FdWatch::Want::read, [this](loop::Ready) { on_readable(); }};
}

PluginWatch::~PluginWatch() {
  deadlines_.cancel(quiet_);
}

bool PluginWatch::watch(const std::vector<fs::path>& directories) {
  if (directories == directories_) return false;
  directories_ = directories;
  look_for_directories();
  return true;
}

// Adding a watch that is there already changes nothing, so this is also how new directories are found.
void PluginWatch::look_for_directories() {
  std::map<int, fs::path> now;
  for (const auto& directory : wanted(directories_)) {
    const int number = ::inotify_add_watch(inotify_.get(), directory.c_str(), content_mask);
    if (number >= 0) now.emplace(number, directory);
  }
  for (const auto& [number, directory] : watched_)
    if (!now.contains(number)) ::inotify_rm_watch(inotify_.get(), number);
  watched_ = std::move(now);
}

bool PluginWatch::matters(const inotify_event& event) const {
  if ((event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_ISDIR)) != 0) return true;
  const auto at = watched_.find(event.wd);
  if (at == watched_.end() || event.len == 0) return false;
  const fs::path name{event.name};  // NUL-terminated by the kernel
  if (name.string().starts_with('.') || (name.extension() != ".so" && name.extension() != ".json"))
    return false;
  return (event.mask & IN_CREATE) == 0 || complete_when_created(at->second / name);
}

void PluginWatch::on_readable() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  bool news = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      news = matters(*event) || news;
      at += sizeof(inotify_event) + event->len;
    }
  }
  if (!news) return;
  const auto now = loop::Clock::now();
  if (!quiet_.is_set()) since_ = now;
  deadlines_.set(quiet_, std::min(now + quiet_time, since_ + longest_burst));
}

// Directories first: what lies in a new one before it is watched is found by the scan that follows.
void PluginWatch::on_quiet() {
  look_for_directories();
  on_change_();
}

}  // namespace tftpkit::serve
