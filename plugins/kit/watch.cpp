#include "kit/watch.hpp"

#include "kit/quiet_thread.hpp"
#include "kit/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>

namespace tftpkit::kit {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

// A change is taken up when it has been quiet for so long, but no later than that: editors and servers write
// in several steps.
constexpr std::chrono::milliseconds quiet = 60ms;
constexpr std::chrono::milliseconds patience = 1s;
// Without inotify (no watches left, an old sandbox).
constexpr std::chrono::milliseconds look_often = 1s;

constexpr std::uint32_t events = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

// FNV-1a over what a file is known by.
class Digest {
 public:
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
      value_ = (value_ ^ (number >> shift & 0xffU)) * 0x100000001b3U;
  }
  void add(std::string_view text) {
    for (const char c : text)
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    add(text.size());
  }
  void add_file(const fs::path& path) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return add("none");
    add(static_cast<std::uint64_t>(seen.st_ino));
    add(static_cast<std::uint64_t>(seen.st_size));
    add(static_cast<std::uint64_t>(seen.st_mtim.tv_sec));
    add(static_cast<std::uint64_t>(seen.st_mtim.tv_nsec));
    add(static_cast<std::uint64_t>(seen.st_mode));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    entries.push_back(entry->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

void drain(int inotify) {
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (::read(inotify, buffer.data(), buffer.size()) > 0) {
  }
}

}  // namespace

Watch::Watch(std::vector<fs::path> paths, std::function<void()> changed, std::chrono::milliseconds look_every)
    : paths_(std::move(paths)), changed_(std::move(changed)), look_every_(look_every) {}

Watch::~Watch() {
  stop();
}

bool Watch::set_paths(std::vector<fs::path> paths) {
  const bool other = paths != paths_;
  paths_ = std::move(paths);
  return other;
}

void Watch::start() {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  try {
    thread_ = quiet_thread([this] { run(); });
  } catch (...) {
    ::close(std::exchange(wake_, -1));
    throw;
  }
}

void Watch::stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(std::exchange(wake_, -1));
}

void Watch::run() {
  const UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const auto pause = inotify ? look_every_ : std::min(look_every_, look_often);
  for (;;) {
    if (inotify) watch_directories(inotify.get());
    const auto waited_since = std::chrono::steady_clock::now();
    for (std::uint64_t now = state(); now != seen_;) {
      if (wait(inotify.get(), static_cast<int>(quiet.count()))) return;
      const std::uint64_t later = state();
      const bool settled = later == now || std::chrono::steady_clock::now() - waited_since > patience;
      now = later;
      if (!settled) continue;
      seen_ = now;
      changed_();
    }
    if (wait(inotify.get(), static_cast<int>(pause.count()))) return;
  }
}

// The directories around the paths and behind links as well: files are replaced by renaming. Again each time,
// because they may be other ones by now; to watch what is watched changes nothing.
void Watch::watch_directories(int inotify) const {
  for (const fs::path& path : paths_) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    for (const fs::path& directory : {path, path.parent_path(), real.parent_path()})
      static_cast<void>(::inotify_add_watch(inotify, directory.c_str(), events | IN_ONLYDIR));
  }
}

bool Watch::wait(int inotify, int milliseconds) const {
  std::array<pollfd, 2> fds = {pollfd{wake_, POLLIN, 0}, pollfd{inotify, POLLIN, 0}};
  static_cast<void>(::poll(fds.data(), fds.size(), milliseconds));
  if (fds[0].revents != 0) return true;
  if (inotify >= 0) drain(inotify);
  return false;
}

std::uint64_t Watch::state() const {
  Digest digest;
  for (const fs::path& path : paths_) {
    digest.add(path.native());
    digest.add_file(path);
    std::error_code error;
    if (!fs::is_directory(path, error)) continue;
    for (const fs::path& entry : entries_of(path)) {
      digest.add(entry.native());
      digest.add_file(entry);
    }
  }
  return digest.value();
}

}  // namespace tftpkit::kit
