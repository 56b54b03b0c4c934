#include "host/call.hpp"

#include "host/frame.hpp"

#include <cassert>
#include <utility>

namespace tftpkit::host {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t now_ns() {
  return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

// Measures one call, for those who watch from another thread.
class Watch {
 public:
  Watch(std::atomic<std::int64_t>& since, std::atomic<std::int64_t>& took)
      : since_(since), took_(took), begin_(now_ns()) {
    since_.store(begin_, std::memory_order_relaxed);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    took_.store(now_ns() - begin_, std::memory_order_relaxed);
    since_.store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t>& since_;
  std::atomic<std::int64_t>& took_;
  std::int64_t begin_;
};

Ending ended_by(std::uint32_t end) {
  Ending ending;
  ending.end = end;
  return ending;
}

std::string fault_of_completion(tftpkit_status status, const tftpkit_source* source, bool can_read,
                                struct stat& seen) {
  if (!known_answer(status)) return "a status " + std::to_string(status) + " that is no answer";
  if (status != TFTPKIT_OK) return {};
  return source == nullptr ? "OK without a source" : fault(*source, can_read, seen);
}

}  // namespace

Call::Call(std::shared_ptr<Instance> instance, OpenRequest request, std::function<void(Answer)> on_answer)
    : instance_(std::move(instance)), request_(std::make_shared<HeldRequest>(std::move(request))),
      on_answer_(std::move(on_answer)) {}

std::shared_ptr<Call> Call::make(std::shared_ptr<Instance> instance, OpenRequest request,
                                 std::function<void(Answer)> on_answer) {
  return std::shared_ptr<Call>(new Call(std::move(instance), std::move(request), std::move(on_answer)));
}

Call::~Call() {
  if (phase_ == Phase::pending) abandon();
  end_transfer(ended_by(TFTPKIT_END_HOST));
}

// False when nobody waits any more.
bool Call::begin_opening() {
  const std::lock_guard lock(mutex_);
  assert(phase_ == Phase::fresh);
  if (abandoned_) return false;
  phase_ = Phase::opening;
  return true;
}

bool Call::open_now() {
  const tftpkit_open_now* now = instance_->open_now_;
  if (now == nullptr || now->open_read == nullptr || !begin_opening()) return false;
  tftpkit_source source = blank_source();
  std::string explanation;
  std::int32_t answered = 0;
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  const bool added = instance_->requests_.add(request_->id(), {weak_from_this(), request_});
  if (added) {
    const Watch watch(since_ns_, took_ns_);
    status = guarded(*instance_, "open_now", explanation, tftpkit_status{TFTPKIT_E_INTERNAL}, now->open_read,
                     instance_->self_, &request_->view(), &source, &answered);
  }
  if (answered != 0) {
    settle(status, source, std::move(explanation));
    return true;
  }
  if (added) instance_->requests_.forget(request_->id());
  const std::lock_guard lock(mutex_);
  phase_ = Phase::fresh;
  return false;
}

void Call::open() {
  if (!begin_opening()) return;
  tftpkit_source source = blank_source();
  std::string explanation;
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  if (instance_->requests_.add(request_->id(), {weak_from_this(), request_}))
    status = ask(source, explanation);
  else
    explanation = "request id " + std::to_string(request_->id()) + " is in use already";
  settle(status, source, std::move(explanation));
}

tftpkit_status Call::ask(tftpkit_source& source, std::string& explanation) {
  const tftpkit_plugin& plugin = instance_->plugin();
  if (plugin.open_read == nullptr) {
    explanation = "the plugin offers no reads";
    return TFTPKIT_E_UNSUPPORTED;
  }
  const Watch watch(since_ns_, took_ns_);
  return guarded(*instance_, "open_read", explanation, tftpkit_status{TFTPKIT_E_INTERNAL}, plugin.open_read,
                 instance_->self_, &request_->view(), &source);
}

// open_read has returned: what holds now, that or what complete() said meanwhile?
void Call::settle(tftpkit_status status, const tftpkit_source& source, std::string explanation) {
  std::unique_lock lock(mutex_);
  if (!early_ && status == TFTPKIT_PENDING) {
    phase_ = Phase::pending;
    if (refused_) return instance_->requests_.forget(request_->id());
    if (!abandoned_) return;
    instance_->requests_.orphan(request_->id());
    lock.unlock();
    return instance_->give_up(request_->id());
  }
  phase_ = Phase::answered;
  const bool nobody = abandoned_;
  std::optional<Answer> early = std::exchange(early_, std::nullopt);
  lock.unlock();

  if (early && status != TFTPKIT_PENDING)
    instance_->blame("open_read() returned " + std::to_string(status) +
                     " after complete() had answered; the first answer counts");
  Answer answer = early ? std::move(*early) : checked(status, source, std::move(explanation));
  if (!nobody) return deliver(std::move(answer));
  answer.source.reset();
  end_transfer(ended_by(TFTPKIT_END_HOST));
  instance_->requests_.forget(request_->id());
}

Answer Call::checked(tftpkit_status status, const tftpkit_source& source, std::string explanation) {
  if (status == TFTPKIT_OK) return accept(source, std::move(explanation));
  if (known_answer(status)) return {status, std::move(explanation), std::nullopt};
  std::string wrong = "open_read() returned the unknown status " + std::to_string(status);
  instance_->blame(wrong);
  return {TFTPKIT_E_INTERNAL, std::move(wrong), std::nullopt};
}

Answer Call::accept(const tftpkit_source& source, std::string explanation) {
  mark_opened(source.transfer);
  struct stat seen {};
  const std::string wrong = fault(source, instance_->plugin().read != nullptr, seen);
  if (wrong.empty()) return {TFTPKIT_OK, std::move(explanation), taken(source, seen)};
  std::string said = "open_read() answered with " + wrong;
  instance_->blame(said);
  drop_descriptor(source);
  end_transfer(ended_by(TFTPKIT_END_PLUGIN));
  return {TFTPKIT_E_INTERNAL, std::move(said), std::nullopt};
}

tftpkit_status Call::complete(tftpkit_status status, const tftpkit_source* source, std::string explanation) {
  std::unique_lock lock(mutex_);
  if (abandoned_ && phase_ == Phase::pending) instance_->requests_.bury(request_->id());
  refused_ = abandoned_;
  if (abandoned_ || early_ || phase_ == Phase::answered) return TFTPKIT_E_STALE;

  struct stat seen {};
  const std::string wrong = fault_of_completion(status, source, instance_->plugin().read != nullptr, seen);
  Answer answer{status, std::move(explanation), std::nullopt};
  if (!wrong.empty()) {
    answer = {TFTPKIT_E_INTERNAL, "complete() answered with " + wrong, std::nullopt};
    instance_->blame(answer.text);
  } else if (status == TFTPKIT_OK) {
    mark_opened(source->transfer);
    answer.source = taken(*source, seen);
  }
  if (phase_ == Phase::opening) {
    early_ = std::move(answer);
  } else {
    phase_ = Phase::answered;
    lock.unlock();
    deliver(std::move(answer));
  }
  return wrong.empty() ? TFTPKIT_OK : TFTPKIT_E_INVALID;
}

void Call::deliver(Answer answer) {
  if (!answer.source) instance_->requests_.forget(request_->id());
  const auto on_answer = std::exchange(on_answer_, nullptr);
  if (on_answer) on_answer(std::move(answer));
}

std::int64_t Call::read(std::span<std::byte> into) {
  if (read_failed_ != 0) return read_failed_;
  if (!opened_ || closed_ || instance_->plugin().read == nullptr) return TFTPKIT_E_INVALID;
  explanation_.clear();
  std::int64_t got = 0;
  {
    const Watch watch(since_ns_, took_ns_);
    got =
        guarded(*instance_, "read", explanation_, std::int64_t{TFTPKIT_E_INTERNAL}, instance_->plugin().read,
                instance_->self_, transfer_, static_cast<void*>(into.data()), into.size());
  }
  if (got >= 0 && static_cast<std::uint64_t>(got) <= into.size()) return got;
  if (!known_failure(got)) {
    explanation_ = got > 0 ? "read() returned " + std::to_string(got) + " bytes for a buffer of " +
                                 std::to_string(into.size())
                           : "read() returned the unknown status " + std::to_string(got);
    instance_->blame(explanation_);
    got = TFTPKIT_E_INTERNAL;
  }
  read_failed_ = got;
  return got;
}

void Call::close(const Ending& ending) {
  end_transfer(ending);
}

void Call::mark_opened(void* transfer) {
  const std::lock_guard lock(transfer_mutex_);
  opened_ = true;
  transfer_ = transfer;
}

void Call::end_transfer(const Ending& ending) {
  {
    const std::lock_guard lock(transfer_mutex_);
    if (!opened_ || closed_) return;
    closed_ = true;
  }
  tftpkit_outcome outcome{};
  outcome.struct_size = static_cast<std::uint32_t>(sizeof outcome);
  outcome.end = ending.end;
  outcome.bytes = ending.bytes;
  outcome.elapsed_us = static_cast<std::uint64_t>(ending.elapsed.count());
  outcome.resends = ending.resends;
  if (instance_->plugin().close != nullptr) {
    const Watch watch(since_ns_, took_ns_);
    const tftpkit_outcome* told = &outcome;
    guarded(*instance_, "close", instance_->plugin().close, instance_->self_, transfer_, told);
  }
  instance_->requests_.forget(request_->id());
}

void Call::cancel() {
  request_->cancel();
  // Held during the plugin's cancel(): close() must not free the transfer under it.
  const std::lock_guard lock(transfer_mutex_);
  if (!opened_ || closed_ || instance_->plugin().cancel == nullptr) return;
  guarded(*instance_, "cancel", instance_->plugin().cancel, instance_->self_, transfer_);
}

bool Call::abandon() {
  std::function<void(Answer)> dropped;  // may hold the last reference to much: goes after the lock
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::answered || abandoned_) return abandoned_;
  abandoned_ = true;
  request_->cancel();
  dropped = std::exchange(on_answer_, nullptr);
  if (phase_ != Phase::pending) return true;
  instance_->requests_.orphan(request_->id());
  lock.unlock();
  instance_->give_up(request_->id());
  return true;
}

std::chrono::nanoseconds Call::last_took() const noexcept {
  return std::chrono::nanoseconds(took_ns_.load(std::memory_order_relaxed));
}

std::optional<Clock::time_point> Call::running_since() const noexcept {
  const std::int64_t since = since_ns_.load(std::memory_order_relaxed);
  if (since == 0) return std::nullopt;
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(since)));
}

}  // namespace tftpkit::host
