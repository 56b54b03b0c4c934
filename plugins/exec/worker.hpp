// One serving program: started, asked, understood, and started again when it ends or breaks the protocol.
// Belongs to the engine's thread.
#pragma once

#include "exec/body.hpp"
#include "exec/child.hpp"
#include "exec/job.hpp"
#include "exec/last_line.hpp"
#include "exec/poller.hpp"
#include "exec/reply.hpp"
#include "exec/settings.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace tftpkit::exec {

class Worker {
 public:
  // Starts the program. Throws std::system_error when it cannot be run.
  Worker(const Settings& settings, Host host, Poller& poller);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Can it take one more?
  [[nodiscard]] bool has_room() const noexcept;
  [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }
  void give(Job job);
  // What was given goes out.
  void flush();

  // Limits of time, requests that were given up, a start that is due.
  void tick(Clock::time_point now);
  [[nodiscard]] Clock::time_point due() const;

  // While there is no program: when the next one starts, and what became of the last.
  [[nodiscard]] bool is_down() const noexcept { return child_ == nullptr; }
  [[nodiscard]] Clock::time_point next_start() const noexcept { return next_start_; }
  [[nodiscard]] const std::string& why_down() const noexcept { return why_; }

  // Answers all and closes its input; it has until kill() to end by itself. No other one is started.
  void stop();
  void kill();

 private:
  struct Asked {
    Job job;
    Clock::time_point given;
  };
  // Bytes that follow a line.
  struct Incoming {
    std::uint64_t id;
    std::uint64_t left;
    Body body;
  };
  using Place = std::unordered_map<std::uint64_t, Asked>::iterator;

  void start();
  void restart();
  void close_streams();
  void close(kit::UniqueFd& fd);
  void receive();
  void understand(std::string_view bytes);
  void take_bytes(std::string_view& bytes);
  void take_line(std::string_view& bytes);
  void obey(const Reply& reply);
  [[nodiscard]] Answer answer_of(const Reply& reply);
  [[nodiscard]] Answer file_answer(kit::UniqueFd fd, const std::string& what) const;
  [[nodiscard]] Answer too_large() const;
  [[nodiscard]] kit::UniqueFd next_descriptor();
  void finish(Place place, Answer answer);
  void give_up(Place place, Answer answer);
  void hear();
  void ended();
  // It cannot be gone on with: it is ended.
  void break_off(const std::string& why);
  void answer_all(const std::string& why);
  void look_at_asked(Clock::time_point now);

  const Settings& settings_;
  Host host_;
  Poller& poller_;

  std::unique_ptr<Child> child_;
  kit::UniqueFd in_;
  kit::UniqueFd out_;
  kit::UniqueFd err_;
  LastLine said_;
  std::string to_send_;
  std::string line_;
  std::optional<Incoming> incoming_;
  std::deque<kit::UniqueFd> descriptors_;           // that came, and no line has taken yet
  std::unordered_map<std::uint64_t, Asked> asked_;  // without an answer
  std::unordered_set<std::uint64_t> given_up_;      // answered without it; it may still speak of them

  bool broken_ = false;
  bool stopping_ = false;
  std::string why_;
  Clock::time_point started_;
  Clock::time_point heard_;
  std::optional<Clock::time_point> silent_since_;  // the end of its output was seen, its own was not
  Clock::time_point next_look_;
  Clock::time_point next_start_;
  std::chrono::milliseconds delay_;
  std::array<char, 65536> buffer_{};
};

}  // namespace tftpkit::exec
