#include "observe/log.hpp"

#include "observe/line.hpp"
#include "observe/repeat_limit.hpp"
#include "observe/signals_blocked.hpp"
#include "observe/sink.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace tftpkit::observe {
namespace {

using Steady = std::chrono::steady_clock;
// Lines that come within this of another are written with it: one wake-up and one write for all of them.
constexpr std::chrono::milliseconds gathering{5};
constexpr std::chrono::seconds patience{
    1};  // for a reader, when the log must not be lost but nobody may hang

bool wants_colour(const Sink& sink) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return sink.is_terminal() && !dumb && (no_color == nullptr || *no_color == '\0');
}

// Level, message and subject in one text, and back.
constexpr char separator = '\x1f';

std::string repeat_key(Level level, std::string_view message, std::string_view subject) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(level)));
  key += message;
  key += separator;
  key += subject;
  return key;
}

struct RepeatedLine {
  Level level = Level::warning;
  std::string message = "lines of many kinds";
  std::string subject;
};

RepeatedLine line_of(const std::string& key) {
  if (key.empty()) return {};
  const std::size_t end = key.rfind(separator);
  return {static_cast<Level>(key[0] - '0'), key.substr(1, end - 1), key.substr(end + 1)};
}

}  // namespace

// The queue and its thread. Everything below `mutex_` is guarded by it; the sink is the thread's alone.
class Log::Core {
 public:
  explicit Core(const LogOptions& options)
      : level(options.level), sink_(options.file), json_(options.format == LogOptions::Format::json),
        colour_(wants_colour(sink_)), capacity_(options.queue_bytes), window_(options.repeat_window),
        limit_(options.repeats, options.repeat_window) {
    const SignalsBlocked blocked;  // SIGPIPE too: a reader that went away is EPIPE
    thread_ = std::thread([this] { run(); });
  }

  ~Core() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_one();
    finish_within(patience);
    thread_.join();
  }

  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void write(const Line& line, std::string_view subject) {
    const bool limited = line.level >= Level::warning || (line.level == Level::info && !subject.empty());
    const std::lock_guard lock(mutex_);
    if (limited && !limit_.admits(repeat_key(line.level, line.message, subject), Steady::now())) {
      if (!deadline_known_) work_.notify_one();
      deadline_known_ = true;
      return;
    }
    const bool idle = pending_.empty();
    append_if_room(line);
    if (idle || pending_.size() > capacity_ / 4) work_.notify_one();
  }

  void lose_one() noexcept { lost_.fetch_add(1, std::memory_order_relaxed); }

  void flush() noexcept {
    std::unique_lock lock(mutex_);
    const std::uint64_t target = accepted_;
    ++hurried_;
    work_.notify_one();
    done_.wait_for(lock, patience, [&] { return finished_ >= target; });
    --hurried_;
  }

  void reopen() noexcept {
    {
      const std::lock_guard lock(mutex_);
      reopening_ = true;
    }
    work_.notify_one();
  }

  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  std::atomic<Level> level;

 private:
  void append(const Line& line);
  template <class Append>
  void append_or_lose(Append append_lines) noexcept;
  void append_if_room(const Line& line);
  void append_repeats(Steady::time_point now);
  void append_loss();
  void append_not_reopened(int error);
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void gather(std::unique_lock<std::mutex>& lock);
  void finish_within(std::chrono::milliseconds time) noexcept;
  void run();

  Sink sink_;
  const bool json_;
  const bool colour_;
  const std::size_t capacity_;
  const std::chrono::milliseconds window_;
  std::atomic<std::uint64_t> lost_{0};

  std::mutex mutex_;
  std::condition_variable work_;  // for the thread
  std::condition_variable done_;  // for flush() and the end
  RepeatLimit limit_;
  std::string pending_;         // whole lines, at most capacity_ bytes
  std::uint64_t accepted_ = 0;  // lines ever put into pending_
  std::uint64_t finished_ = 0;  // of these written or lost
  std::uint64_t lost_told_ = 0;
  int loss_reason_ = 0;          // errno of the last failed write, 0: the queue was full
  bool deadline_known_ = false;  // the thread will wake up to tell of repeats
  unsigned hurried_ = 0;         // callers of flush()
  bool reopening_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

// A whole line, or nothing of it: there may be no memory.
void Log::Core::append(const Line& line) {
  const std::size_t before = pending_.size();
  try {
    if (json_) {
      append_json_line(pending_, line);
    } else {
      append_text_line(pending_, line, colour_);
    }
  } catch (...) {
    pending_.resize(before);
    throw;
  }
  ++accepted_;
}

// For lines of the thread's own.
template <class Append>
void Log::Core::append_or_lose(Append append_lines) noexcept {
  try {
    append_lines();
  } catch (...) {  // no memory for the line
    lose_one();
  }
}

void Log::Core::append_if_room(const Line& line) {
  const std::size_t before = pending_.size();
  append(line);
  if (pending_.size() <= capacity_) return;
  pending_.resize(before);
  --accepted_;
  lose_one();
}

void Log::Core::append_repeats(Steady::time_point now) {
  for (const RepeatLimit::Swallowed& swallowed : limit_.next_swallowed(now)) {
    const RepeatedLine line = line_of(swallowed.key);
    const std::string message = fmt::format("{}: and {} more like this", line.message, swallowed.lines);
    const std::array fields = {Field("within_seconds", std::chrono::duration<double>(window_).count()),
                               Field("subject", line.subject)};
    append({std::chrono::system_clock::now(), line.level, message,
            std::span(fields).first(line.subject.empty() ? 1 : 2)});
  }
}

// Told once lines can be written again, so that a failing disk does not make lines about itself for ever.
void Log::Core::append_loss() {
  const std::uint64_t lost_now = lost();
  const std::string reason = loss_reason_ == 0 || loss_reason_ == ETIMEDOUT
                                 ? "they were not read in time"
                                 : std::generic_category().message(loss_reason_);
  const std::array fields = {Field("lines", lost_now - lost_told_), Field("reason", reason)};
  append({std::chrono::system_clock::now(), Level::warning, "log lines were lost", fields});
  lost_told_ = lost_now;
  loss_reason_ = 0;
}

void Log::Core::append_not_reopened(int error) {
  const std::string reason = std::generic_category().message(error);
  const std::array fields = {Field("reason", reason)};
  append({std::chrono::system_clock::now(), Level::warning, "the log file cannot be opened anew", fields});
}

void Log::Core::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return stopping_ || reopening_ || !pending_.empty(); };
  while (!has_work()) {
    const auto deadline = limit_.deadline();
    deadline_known_ = deadline.has_value();
    if (!deadline) {
      work_.wait(lock);
    } else if (work_.wait_until(lock, *deadline) == std::cv_status::timeout) {
      return;
    }
  }
}

// write() notifies only when nothing was pending, so a burst of lines wakes this thread once.
void Log::Core::gather(std::unique_lock<std::mutex>& lock) {
  const auto enough = [this] {
    return stopping_ || reopening_ || hurried_ > 0 || pending_.empty() || pending_.size() > capacity_ / 4;
  };
  work_.wait_for(lock, gathering, enough);
}

void Log::Core::run() {
  std::string lines;
  std::unique_lock lock(mutex_);
  while (true) {
    wait_for_work(lock);
    gather(lock);
    append_or_lose([this] { append_repeats(stopping_ ? Steady::time_point::max() : Steady::now()); });
    if (stopping_ && pending_.empty() && !reopening_) break;
    lines.clear();
    std::swap(lines, pending_);
    const std::uint64_t taken = accepted_;
    const bool reopening = std::exchange(reopening_, false);
    lock.unlock();
    const int reopen_error = reopening ? sink_.reopen() : 0;
    const std::size_t lost_here = sink_.write(lines);
    lock.lock();
    finished_ = taken;
    if (lost_here > 0) {
      lost_.fetch_add(lost_here, std::memory_order_relaxed);
      loss_reason_ = sink_.last_error();
    } else if (!lines.empty() && lost() > lost_told_) {
      append_or_lose([this] { append_loss(); });
    }
    if (reopen_error != 0) append_or_lose([&] { append_not_reopened(reopen_error); });
    done_.notify_all();
  }
  stopped_ = true;
  done_.notify_all();
}

void Log::Core::finish_within(std::chrono::milliseconds time) noexcept {
  std::unique_lock lock(mutex_);
  if (done_.wait_for(lock, time, [this] { return stopped_; })) return;
  sink_.interrupt();
}

Log::Log(const LogOptions& options) : core_(std::make_unique<Core>(options)) {}
Log::~Log() = default;

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields,
                std::string_view subject) noexcept {
  write(level, message, std::span<const Field>(fields.begin(), fields.size()), subject);
}

void Log::write(Level level, std::string_view message, std::span<const Field> fields,
                std::string_view subject) noexcept {
  if (!enabled(level)) return;
  try {
    core_->write({std::chrono::system_clock::now(), level, message, fields}, subject);
  } catch (...) {  // no memory for the line
    core_->lose_one();
  }
}

bool Log::enabled(Level level) const noexcept {
  return level >= core_->level.load(std::memory_order_relaxed);
}
void Log::set_level(Level level) noexcept {
  core_->level.store(level, std::memory_order_relaxed);
}
void Log::flush() noexcept {
  core_->flush();
}
void Log::reopen() noexcept {
  core_->reopen();
}
std::uint64_t Log::lost() const noexcept {
  return core_->lost();
}

std::string_view name_of(Level level) noexcept {
  switch (level) {
  case Level::debug: return "debug";
  case Level::info: return "info";
  case Level::warning: return "warning";
  case Level::error: return "error";
  }
  return "error";
}

std::optional<Level> level_named(std::string_view name) noexcept {
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (name_of(level) == name) return level;
  }
  return std::nullopt;
}

}  // namespace tftpkit::observe
