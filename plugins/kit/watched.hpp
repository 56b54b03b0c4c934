// A value that is made from files and made anew when they change. Readers hold the value that they got; a
// mistake in the files keeps the old value and goes to the log. Belongs to one instance of a plugin.
#pragma once

#include "config/problem.hpp"
#include "kit/watch.hpp"

#include <tftpkit/plugin.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tftpkit::kit {

// Each problem is one line of the log, behind `headline`.
void log_problems(const Host& host, std::string_view headline, const config::Problems& problems);
// Throws a Failure that names the first and counts the others, which log_problems() has told.
[[noreturn]] void fail_with(std::string_view what, const config::Problems& problems);

template <class Value>
class Watched {
 public:
  using Pointer = std::shared_ptr<const Value>;
  struct Ways {
    std::string what;                                    // "the inventory", for messages
    std::vector<std::filesystem::path> paths;            // files and directories that it is made from
    std::function<config::Checked<Pointer>()> load;      // [any thread, one at a time]
    std::function<std::string(const Value&)> summary{};  // "3 machines", for the log
    // All files and directories that the last load() looked at, when it alone knows: then `paths` are the
    // first.
    std::function<std::vector<std::filesystem::path>()> looked_at{};
  };

  Watched(Host host, Ways ways)
      : host_(host), ways_(std::move(ways)), watch_(ways_.paths, [this] { load_again(); }) {}

  // Loads on this thread. Throws when there are problems, having logged all of them.
  void load_first() {
    watch_.remember();
    auto loaded = ways_.load();
    // What was found only now may have changed since it was read.
    if (watch_what_was_looked_at()) {
      watch_.remember();
      loaded = ways_.load();
    }
    if (!loaded) {
      log_problems(host_, ways_.what + " cannot be used", loaded.problems());
      fail_with(ways_.what, loaded.problems());
    }
    set(std::move(*loaded));
  }

  // What looked_at() tells only now is watched from now on.
  void start() {
    if (watch_what_was_looked_at()) watch_.remember();
    watch_.start();
  }
  void stop() { watch_.stop(); }

  // [any-thread] Never null after load_first().
  [[nodiscard]] Pointer now() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  void load_again() noexcept {
    try {
      auto loaded = ways_.load();
      watch_what_was_looked_at();
      if (!loaded)
        return log_problems(host_, ways_.what + " was not taken up, the old one goes on", loaded.problems());
      set(std::move(*loaded));
    } catch (const std::exception& error) {
      host_.log(Level::error, ways_.what + " was not taken up, the old one goes on: " + error.what());
    }
  }

  // True when there are others than before.
  bool watch_what_was_looked_at() { return ways_.looked_at && watch_.set_paths(ways_.looked_at()); }

  // The log tells what is in force already. The old value may be large: it is freed outside of the lock.
  void set(Pointer value) {
    const Pointer taken = value;
    {
      const std::lock_guard lock(mutex_);
      value_.swap(value);
    }
    if (ways_.summary) host_.log(Level::info, ways_.what + ": " + ways_.summary(*taken));
  }

  Host host_;
  Ways ways_;
  mutable std::mutex mutex_;
  Pointer value_;
  Watch watch_;  // last: its thread uses all of the above
};

}  // namespace tftpkit::kit
