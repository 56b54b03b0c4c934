// PluginTransfer: one request in the hands of one plugin instance, driven from a loop. Chooses the
// thread of every call by the instance's execution, never lets two of them overlap, and closes once.
#pragma once

#include "host/call.hpp"
#include "loop/executor.hpp"
#include "serve/reader.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

// An instance as the server uses it. The lane is missing when calls run on the loop itself.
struct Served {
  std::shared_ptr<host::Instance> instance;
  std::optional<loop::Lane> lane;
  mutable std::atomic<unsigned> transfers{0};  // that hold a PluginTransfer of it

  // May several of its calls run at once, beside the loop?
  [[nodiscard]] bool parallel() const noexcept { return lane && lane->cap() > 1; }

  // Runs the job on the instance's lane, or here and now. False: the server is going down.
  bool run(std::function<void()> job) const;
};

// All methods on the loop's thread.
class PluginTransfer : public std::enable_shared_from_this<PluginTransfer> {
 public:
  using OnAnswer = std::function<void(host::Answer)>;

  PluginTransfer(loop::Loop& loop, std::shared_ptr<const Served> served);
  ~PluginTransfer() { served_->transfers.fetch_sub(1, std::memory_order_relaxed); }
  PluginTransfer(const PluginTransfer&) = delete;
  PluginTransfer& operator=(const PluginTransfer&) = delete;

  // Asks the plugin. `on_answer` is called once, on the loop's thread, maybe inside this call; not
  // at all after abandon().
  void open(host::OpenRequest request, OnAnswer on_answer);

  // Nobody waits for the answer any more: a late one is closed or refused where it arises.
  void abandon();

  // One read of a STREAM source, as Reader::read().
  std::optional<ReadResult> read(Space space, Reader::OnDone on_done);
  void forget_read() noexcept { on_read_ = nullptr; }
  [[nodiscard]] bool runs_on_loop() const noexcept { return !served_->lane; }

  // Closes the plugin's side; after a read that is under way, which is cancelled.
  void finish(const host::Ending& ending);

  [[nodiscard]] const host::Instance& instance() const noexcept { return *served_->instance; }
  // To look at while it lives: its last holder is the call into the plugin that closes it.
  [[nodiscard]] std::weak_ptr<const host::Call> call() const noexcept { return call_; }

 private:
  void on_answer(host::Answer answer);
  void warn_if_slow() const;
  ReadResult read_into(const Space& space);
  void read_on_lane(const Space& space);

  loop::Loop& loop_;
  std::shared_ptr<const Served> served_;
  std::shared_ptr<host::Call> call_;
  OnAnswer on_answer_;
  Reader::OnDone on_read_;
  std::mutex mutex_;  // for the two below, which the executor's threads look at too
  bool reading_ = false;
  std::optional<host::Ending> close_after_read_;
};

// Reads a STREAM source through its plugin.
class CallReader final : public Reader {
 public:
  explicit CallReader(std::shared_ptr<PluginTransfer> transfer) : transfer_{std::move(transfer)} {}
  ~CallReader() override { transfer_->forget_read(); }

  std::optional<ReadResult> read(Space space, OnDone on_done) override {
    return transfer_->read(std::move(space), std::move(on_done));
  }
  [[nodiscard]] bool reads_ahead() const noexcept override { return !transfer_->runs_on_loop(); }

 private:
  std::shared_ptr<PluginTransfer> transfer_;
};

}  // namespace tftpkit::serve
