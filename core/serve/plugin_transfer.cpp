#include "serve/plugin_transfer.hpp"

#include "loop/loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tftpkit::serve {

namespace {

// Calls on the network thread keep every client waiting: longer than this is worth a line in the log.
constexpr std::chrono::milliseconds inline_patience{10};

}  // namespace

bool Served::run(std::function<void()> job) const {
  if (lane) return loop::Lane{*lane}.submit(std::move(job));  // a copy is the same lane
  job();
  return true;
}

PluginTransfer::PluginTransfer(loop::Loop& loop, std::shared_ptr<const Served> served)
    : loop_{loop}, served_{std::move(served)} {
  served_->transfers.fetch_add(1, std::memory_order_relaxed);
}

// The Call holds us through its callback until it has answered or was abandoned.
void PluginTransfer::open(host::OpenRequest request, OnAnswer on_answer) {
  const auto keep = shared_from_this();  // an answer at once may make our owner let go
  on_answer_ = std::move(on_answer);
  auto answered = [self = shared_from_this()](host::Answer answer) {
    if (self->loop_.on_own_thread()) return self->on_answer(std::move(answer));
    auto held = std::make_shared<host::Answer>(std::move(answer));
    self->loop_.post([self, held] { self->on_answer(std::move(*held)); });
  };
  call_ = host::Call::make(served_->instance, std::move(request), std::move(answered));
  if (served_->parallel() && call_->open_now()) return warn_if_slow();
  const bool accepted = served_->run([call = call_] { call->open(); });
  if (!accepted) {
    abandon();
    return;
  }
  if (runs_on_loop()) warn_if_slow();
}

void PluginTransfer::on_answer(host::Answer answer) {
  if (!on_answer_) {  // given up after the answer was on its way: close what it opened
    finish({});
    return;
  }
  std::exchange(on_answer_, nullptr)(std::move(answer));
}

void PluginTransfer::abandon() {
  on_answer_ = nullptr;
  if (!call_) return;
  call_->cancel();
  call_->abandon();
}

std::optional<ReadResult> PluginTransfer::read(Space space, Reader::OnDone on_done) {
  if (runs_on_loop()) {
    auto result = read_into(space);
    warn_if_slow();
    return result;
  }
  on_read_ = std::move(on_done);
  {
    const std::lock_guard lock{mutex_};
    reading_ = true;
  }
  auto job = [self = shared_from_this(), space = std::move(space)] { self->read_on_lane(space); };
  if (served_->run(std::move(job))) return std::nullopt;
  const std::lock_guard lock{mutex_};
  reading_ = false;
  return ReadResult{0, false, "the server is shutting down"};
}

void PluginTransfer::read_on_lane(const Space& space) {
  auto result = std::make_shared<ReadResult>(read_into(space));
  std::optional<host::Ending> ending;
  {
    const std::lock_guard lock{mutex_};
    reading_ = false;
    ending = std::exchange(close_after_read_, std::nullopt);
  }
  if (ending) return call_->close(*ending);
  loop_.post([self = shared_from_this(), result] {
    if (self->on_read_) std::exchange(self->on_read_, nullptr)(std::move(*result));
  });
}

ReadResult PluginTransfer::read_into(const Space& space) {
  ReadResult result;
  for (const auto& part : space.parts) {
    if (part.empty()) continue;
    const std::int64_t bytes = call_->read(part);
    if (bytes < 0) {
      result.failure = call_->explanation().empty()
                           ? std::string{host::text(static_cast<tftpkit_status>(bytes))}
                           : call_->explanation();
      return result;
    }
    result.bytes += static_cast<std::size_t>(bytes);
    result.end = bytes == 0;
    // A short read means that more would have to be waited for: hand over what is there.
    if (static_cast<std::size_t>(bytes) < part.size()) break;
  }
  return result;
}

void PluginTransfer::finish(const host::Ending& ending) {
  on_read_ = nullptr;
  if (!call_) return;
  bool reading = false;
  {
    const std::lock_guard lock{mutex_};
    reading = reading_;
    if (reading) close_after_read_ = ending;
  }
  if (reading) return call_->cancel();
  // Without code of the plugin's there is nothing that could block.
  if (!served_->instance->closes()) return call_->close(ending);
  served_->run([call = call_, ending] { call->close(ending); });
}

void PluginTransfer::warn_if_slow() const {
  const auto took = call_->last_took();
  if (took < inline_patience) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  const std::string kept =
      "kept the network thread for " + std::to_string(ms) + " ms; set \"execution\" of this instance to ";
  served_->instance->blame(runs_on_loop() ? "is declared INLINE but " + kept + "\"parallel\""
                                          : "answers by open-now but " + kept + "\"serial\"");
}

}  // namespace tftpkit::serve
