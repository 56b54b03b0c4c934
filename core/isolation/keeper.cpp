#include "isolation/keeper.hpp"

#include "isolation/answer.hpp"
#include "isolation/message.hpp"
#include "isolation/watch.hpp"
#include "observe/log.hpp"
#include "observe/signals_blocked.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::isolation {

namespace {

using std::chrono::milliseconds;

// Messages taken in a row before time limits are looked at.
constexpr int most_messages_at_once = 256;
constexpr milliseconds time_to_die{1'000};  // for a process that has closed its connection

std::string in_mebibytes(std::uint64_t bytes) {
  return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB";
}

milliseconds more_or_less(milliseconds time) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution<long>(time.count() * 3 / 4, time.count() * 5 / 4)(random));
}

}  // namespace

Keeper::Keeper(Program program)
    : program_{std::move(program)}, settings_{encoded_settings(program_.settings)},
      wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Keeper::~Keeper() {
  stop();
}

bool Keeper::start() {
  {
    const observe::SignalsBlocked blocked;
    thread_ = std::thread{[this] { run(); }};
  }
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return phase_ != Phase::starting; });
  return phase_ == Phase::running;
}

void Keeper::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void Keeper::wake() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

std::string Keeper::state() const {
  const std::lock_guard lock{mutex_};
  const auto left = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next_start_ - Clock::now()));
  switch (phase_) {
  case Phase::starting: return "starting";
  case Phase::running: return "running";
  case Phase::waiting: return "restarting in " + in_seconds(left) + ": " + why_;
  case Phase::failed: return "failed: " + why_ + "; next try in " + in_seconds(left);
  case Phase::stopped: return "stopped";
  }
  return {};
}

std::string Keeper::why() const {
  const std::lock_guard lock{mutex_};
  return why_;
}

pid_t Keeper::pid() const {
  const std::lock_guard lock{mutex_};
  return process_ != nullptr ? process_->pid() : -1;
}

void Keeper::run() {
  while (run_once()) {
  }
  const std::lock_guard lock{mutex_};
  if (phase_ != Phase::failed) phase_ = Phase::stopped;
  changed_.notify_all();
}

// One process from start to end; false when there shall be no other.
bool Keeper::run_once() {
  const auto begun = Clock::now();
  std::string why;
  bool started = false;
  try {
    Process process{program_.options.own_binary};
    say_start(process);
    const Verdict verdict = serve(process);
    {
      const std::lock_guard lock{mutex_};
      started = phase_ == Phase::running;
    }
    why = bury(process, verdict);
    if (verdict.asked_for) return false;
  } catch (const std::system_error& error) {
    why = std::string{"its process cannot be started: "} + error.what();
  }
  return wait_before_next(std::chrono::duration_cast<milliseconds>(Clock::now() - begun), started, why);
}

void Keeper::say_start(Process& process) {
  const Options& options = program_.options;
  Start start;
  start.server_pid = ::getpid();
  start.instance = program_.instance;
  start.file = program_.plugin.file.string();
  start.in_place = !program_.plugin.copy;
  start.product_version = program_.services.product_version;
  start.log_level = log_level_of(program_.services.log);
  start.threads = options.threads;
  start.memory = options.memory;
  start.sandboxed = options.sandbox.has_value();
  start.sandbox = options.sandbox.value_or(Sandbox{});
  const host::UniqueFd settings = sealed_copy(settings_);
  const std::array<int, 2> both{settings.get(), program_.plugin.copy.get()};
  if (!process.channel().send_waiting(encoded(std::move(start)),
                                      std::span{both}.first(program_.plugin.copy ? 2 : 1)))
    throw std::system_error(EPIPE, std::generic_category(), "its process ended at once");
  const std::lock_guard lock{mutex_};
  process_ = &process;
  ++number_;
}

Keeper::Verdict Keeper::serve(Process& process) {
  Watch watch{program_.options.call_limit};
  for (;;) {
    wait_for_events(process, watch);
    const auto ended = listen(process, watch);
    if (!watch.failure().empty()) return {watch.failure(), false};
    if (ended) return *ended;
    if (auto verdict = out_of_bounds(process, watch)) return *verdict;
    bool stopping = false;
    {
      const std::lock_guard lock{mutex_};
      stopping = stopping_;
      if (!flush()) return {"its process did not take its messages and was ended", false};
    }
    if (stopping) return end_in_peace(process);
  }
}

void Keeper::wait_for_events(Process& process, Watch& watch) {
  bool unsent = false;
  {
    const std::lock_guard lock{mutex_};
    unsent = !unsent_.empty();
  }
  const auto wanted = static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN);
  std::array<pollfd, 3> events{
      {{process.channel().fd(), wanted, 0}, {process.pidfd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  ::poll(events.data(), events.size(), static_cast<int>(watch.until_due().count()));
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

// Takes what has come. What a process said before its end counts, also where its end is known first.
std::optional<Keeper::Verdict> Keeper::listen(Process& process, Watch& watch) {
  const bool dead = process.ended_within(milliseconds(0));
  for (int left = most_messages_at_once; left > 0; --left) {
    Received received = process.channel().receive();
    switch (received.kind) {
    case Received::Kind::message:
      if (take(std::move(received), watch)) continue;
      [[fallthrough]];
    case Received::Kind::too_long:
      return Verdict{"its process sent what is no message, and was ended", false};
    case Received::Kind::nothing_yet: return dead ? std::optional{Verdict{}} : std::nullopt;
    case Received::Kind::ended:
      if (process.ended_within(time_to_die)) return Verdict{};
      return Verdict{"its process closed its connection to the server, and was ended", false};
    }
  }
  return dead ? std::optional{Verdict{}} : std::nullopt;
}

bool Keeper::take(Received received, Watch& watch) {
  if (take_speech(received.bytes)) return true;
  if (watch.is_started()) return take_from_running(std::move(received), watch);
  if (const auto failed = decoded<isolation::Failed>(received.bytes)) {
    watch.failed(failed->why);
    return true;
  }
  if (!decoded<Ready>(received.bytes)) return false;
  watch.started();
  on_ready();
  return true;
}

void Keeper::on_ready() {
  const std::lock_guard lock{mutex_};
  phase_ = Phase::running;
  why_.clear();
  changed_.notify_all();
  if (number_ > 1)
    program_.services.log.write(observe::Level::info, "isolated process runs again",
                                {{"instance", program_.instance}, {"pid", process_->pid()}});
}

std::optional<Keeper::Verdict> Keeper::out_of_bounds(Process& process, Watch& watch) {
  if (std::string hangs = watch.hangs(); !hangs.empty()) return Verdict{std::move(hangs), false};
  if (!watch.due()) return std::nullopt;
  const std::uint64_t limit = program_.options.memory;
  if (const std::uint64_t used = process.resident(); limit != 0 && used > limit)
    return Verdict{"its process used " + in_mebibytes(used) + " of memory, more than its limit of " +
                       in_mebibytes(limit) + ", and was ended",
                   false};
  if (!watch.is_started()) return std::nullopt;
  const std::lock_guard lock{mutex_};
  post(encoded(Ping{}));
  const std::uint8_t level = log_level_of(program_.services.log);
  if (std::exchange(told_level_, level) != level) post(encoded(LogLevel{level}));
  return std::nullopt;
}

Keeper::Verdict Keeper::end_in_peace(Process& process) {
  {
    const std::lock_guard lock{mutex_};
    post(encoded(Stop{}));
  }
  const auto until = Clock::now() + program_.options.patience;
  Watch watch{program_.options.call_limit};
  watch.started();
  while (Clock::now() < until && !process.ended_within(milliseconds(0))) {
    if (listen(process, watch)) break;
    watch.due();
    wait_for_events(process, watch);
    const std::lock_guard lock{mutex_};
    flush();
  }
  if (process.ended_within(milliseconds(0))) return {"", true};
  return {"its process did not end when it was asked to, and was ended", true};
}

// The last word about a process: what became of it, and what of those who waited for it.
std::string Keeper::bury(Process& process, const Verdict& verdict) {
  {
    const std::lock_guard lock{mutex_};
    process_ = nullptr;
    unsent_.clear();
    unsent_bytes_ = 0;
    if (phase_ == Phase::running) phase_ = Phase::waiting;
    why_ = verdict.why.empty() ? "its process ended" : verdict.why;
  }
  const pid_t pid = process.pid();
  const ProcessEnd end = process.end();
  std::string why = verdict.why.empty() ? "its process " + end.text() : verdict.why;
  {
    const std::lock_guard lock{mutex_};
    why_ = why;
  }
  const std::size_t failed = fail_all(why);
  if (!verdict.asked_for || !verdict.why.empty() || end.status != 0)
    tell_end(pid, why, failed, end.peak_memory);
  return why;
}

void Keeper::tell_end(pid_t pid, const std::string& why, std::size_t failed,
                      std::uint64_t peak_memory) const {
  program_.services.log.write(observe::Level::error, "isolated process ended",
                              {{"instance", program_.instance},
                               {"pid", pid},
                               {"why", why},
                               {"requests_failed", failed},
                               {"peak_memory_bytes", peak_memory}},
                              program_.instance);
}

// False when there shall be no next one: the first never came to life, or the server has no more use for it.
bool Keeper::wait_before_next(milliseconds ran, bool started, const std::string& why) {
  const Backoff& backoff = program_.options.backoff;
  std::unique_lock lock{mutex_};
  const bool first_failed = !started && number_ <= 1 && last_delay_.count() == 0;
  phase_ = started ? Phase::waiting : Phase::failed;
  why_ = why;
  changed_.notify_all();
  if (first_failed || stopping_) return false;
  const bool anew = last_delay_.count() == 0 || (started && ran >= backoff.well);
  last_delay_ = anew ? backoff.first : std::min(last_delay_ * 2, backoff.most);
  const milliseconds delay = more_or_less(last_delay_);
  next_start_ = Clock::now() + delay;
  program_.services.log.write(observe::Level::warning, "isolated process will be started again",
                              {{"instance", program_.instance}, {"in_ms", delay.count()}}, program_.instance);
  changed_.wait_until(lock, next_start_, [this] { return stopping_; });
  if (stopping_) return false;
  phase_ = Phase::starting;
  return true;
}

}  // namespace tftpkit::isolation
