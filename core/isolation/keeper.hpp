// Keeps the process of one isolated instance: starts it, talks with it, ends it when it is out of bounds,
// starts it again. What it has promised to the host (answers, bytes) fails with a reason when the process
// ends; bytes that are already here stay. One thread of its own waits for the process; nobody else ever does,
// but for the first start and for reads of a stream.
#pragma once

#include "host/instance.hpp"
#include "host/library.hpp"
#include "isolation/options.hpp"
#include "isolation/process.hpp"
#include "isolation/transfer.hpp"

#include <tftpkit/plugin.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tftpkit::isolation {

struct Answered;
struct Filled;
class Watch;

// What runs in the process.
struct Program {
  std::string instance;
  host::Snapshot plugin;
  host::Settings settings;
  host::Services services;
  Options options;
};

class Keeper {
 public:
  explicit Keeper(Program program);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // The calls of tftpkit_plugin, by the host, as it makes them. start() waits until the instance in the
  // process has started; when it has not, why() says why.
  void attach(const tftpkit_host* host) noexcept { host_ = host; }
  bool start();
  void stop();
  tftpkit_status open(const tftpkit_request& request);
  std::int64_t read(Transfer& transfer, std::span<std::byte> into) const;
  void close(Transfer& transfer, const tftpkit_outcome& outcome);
  static void cancel(Transfer& transfer);
  void give_up(std::uint64_t id);

  // For people: "running", "restarting in 3 s: it was ended by SIGSEGV", "failed: ..." [any-thread]
  [[nodiscard]] std::string state() const;
  // Why the last process ended. [any-thread]
  [[nodiscard]] std::string why() const;
  // The process that runs now, or -1. [any-thread]
  [[nodiscard]] pid_t pid() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { starting, running, waiting, failed, stopped };
  // Why a process is ended, or was found to have ended.
  struct Verdict {
    std::string why;         // empty: its exit status tells
    bool asked_for = false;  // by stop()
  };
  // On the keeper's own thread.
  void run();
  bool run_once();
  void say_start(Process& process);
  Verdict serve(Process& process);
  void wait_for_events(Process& process, Watch& watch);
  std::optional<Verdict> listen(Process& process, Watch& watch);
  std::optional<Verdict> out_of_bounds(Process& process, Watch& watch);
  // False: that is no message, or not one for now.
  bool take(Received received, Watch& watch);
  bool take_from_running(Received received, Watch& watch);
  bool take_speech(std::span<const std::byte> bytes) const;
  void on_ready();
  bool on_answer(Answered answer, std::vector<host::UniqueFd> descriptors);
  void on_refusal(const Answered& answer);
  [[nodiscard]] bool fits(const Transfer& transfer);
  void refuse(std::uint64_t id, const std::string& why);
  bool on_filled(const Filled& filled);
  void on_question(std::uint64_t ticket, const tftpkit_addr& peer);
  std::string bury(Process& process, const Verdict& verdict);
  void tell_end(pid_t pid, const std::string& why, std::size_t failed, std::uint64_t peak_memory) const;
  std::size_t fail_all(const std::string& why);
  bool wait_before_next(std::chrono::milliseconds ran, bool started, const std::string& why);
  Verdict end_in_peace(Process& process);

  // With mutex_ held.
  void post(std::vector<std::byte> bytes);
  bool flush();
  [[nodiscard]] std::shared_ptr<Transfer> found(std::uint64_t id) const;

  void fail(std::uint64_t id, const std::string& why);
  void wake() const noexcept;

  const Program program_;
  const std::vector<std::byte> settings_;
  const tftpkit_host* host_ = nullptr;
  host::UniqueFd wake_;
  std::thread thread_;

  mutable std::mutex mutex_;  // all below
  mutable std::condition_variable changed_;
  Phase phase_ = Phase::starting;
  std::string why_;
  Clock::time_point next_start_;
  std::chrono::milliseconds last_delay_{0};
  bool stopping_ = false;
  Process* process_ = nullptr;  // while messages may be sent to it
  std::uint64_t number_ = 0;    // of the process
  std::deque<std::vector<std::byte>> unsent_;
  std::size_t unsent_bytes_ = 0;
  std::uint8_t told_level_ = 0;
  std::uint64_t body_bytes_ = 0;  // in memory files that the server has mapped
  std::unordered_map<std::uint64_t, std::shared_ptr<Transfer>> transfers_;
};

}  // namespace tftpkit::isolation
