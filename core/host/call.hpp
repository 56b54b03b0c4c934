// One request given to one instance, from open to close. Guards every call into the plugin: checks what it
// returns, turns exceptions into failures, makes sure that there is one answer and one close. Knows nothing
// of threads and deadlines: `serve` decides where calls run and when nobody waits any more.
#pragma once

#include "host/instance.hpp"
#include "host/requests.hpp"
#include "host/source.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace tftpkit::host {

// How a transfer ended, as the plugin is told.
struct Ending {
  std::uint32_t end = TFTPKIT_END_HOST;  // TFTPKIT_END_*
  std::uint64_t bytes = 0;               // acknowledged by the client
  std::chrono::microseconds elapsed{0};  // since the request came
  std::uint64_t resends = 0;             // blocks sent more than once
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  // `on_answer` is called exactly once unless abandon() comes first, on the thread where the answer arose:
  // the one that runs open(), or a plugin's thread inside complete(). It must not throw and should only pass
  // the answer on. It is dropped once called, so that it may hold the Call itself.
  static std::shared_ptr<Call> make(std::shared_ptr<Instance> instance, OpenRequest request,
                                    std::function<void(Answer)> on_answer);

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();  // closes what nobody closed, as TFTPKIT_END_HOST

  // [transfer] Asks the plugin, once. An answer that complete() brought meanwhile is delivered when open_read
  // has returned, since calls of one transfer never overlap; PENDING delivers nothing yet.
  void open();

  // [loop] Asks a plugin that has the extension open-now whether it can answer without waiting. True: it has
  // answered, as in open(). False: nothing has happened, and open() is due.
  bool open_now();

  // [transfer] The next bytes of a stream: how many, 0 at the end, or a negative status; explanation() then
  // says why. After a failure it fails for good.
  std::int64_t read(std::span<std::byte> into);

  // [transfer] Tells the plugin how it ended, once; later calls and calls for what was never opened do
  // nothing. Bytes of a buffer are gone afterwards.
  void close(const Ending& ending);

  // [any-thread] The request is given up: cancelled() says so to the plugin, and its cancel() is called when
  // there is an open transfer. close() still follows. Never runs beside or after close().
  void cancel();

  // [any-thread] Nobody waits for an answer any more. True: on_answer will not be called, and whatever still
  // comes is refused (STALE) or closed here. False: it was called already, or is being called, and its
  // receiver closes.
  bool abandon();

  // The thread of the last read() only.
  const std::string& explanation() const noexcept { return explanation_; }

  // [any-thread] How long the last finished call into the plugin took, and since when one is running, if any.
  std::chrono::nanoseconds last_took() const noexcept;
  std::optional<std::chrono::steady_clock::time_point> running_since() const noexcept;

  const Instance& instance() const noexcept { return *instance_; }
  const std::shared_ptr<Instance>& shared_instance() const noexcept { return instance_; }
  const tftpkit_request& request() const noexcept { return request_->view(); }

 private:
  friend struct HostTable;
  enum class Phase { fresh, opening, pending, answered };

  Call(std::shared_ptr<Instance> instance, OpenRequest request, std::function<void(Answer)> on_answer);
  bool begin_opening();
  tftpkit_status ask(tftpkit_source& source, std::string& explanation);
  void settle(tftpkit_status status, const tftpkit_source& source, std::string explanation);
  Answer checked(tftpkit_status status, const tftpkit_source& source, std::string explanation);
  Answer accept(const tftpkit_source& source, std::string explanation);
  tftpkit_status complete(tftpkit_status status, const tftpkit_source* source, std::string explanation);
  void deliver(Answer answer);
  void mark_opened(void* transfer);
  void end_transfer(const Ending& ending);

  const std::shared_ptr<Instance> instance_;
  const std::shared_ptr<HeldRequest> request_;
  std::function<void(Answer)> on_answer_;

  std::mutex mutex_;  // phase_ .. early_
  Phase phase_ = Phase::fresh;
  bool abandoned_ = false;
  bool refused_ = false;         // complete() came after abandon(), while open_read was still running
  std::optional<Answer> early_;  // completed while open_read was still running

  std::mutex transfer_mutex_;  // opened_ .. transfer_: cancel() against close()
  bool opened_ = false;
  bool closed_ = false;
  void* transfer_ = nullptr;

  std::string explanation_;
  std::int64_t read_failed_ = 0;
  std::atomic<std::int64_t> took_ns_{0};
  std::atomic<std::int64_t> since_ns_{0};
};

}  // namespace tftpkit::host
