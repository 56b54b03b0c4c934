// One command for each request: so many at once, the others wait for their turn. Belongs to the engine's
// thread.
#pragma once

#include "exec/body.hpp"
#include "exec/child.hpp"
#include "exec/engine.hpp"
#include "exec/last_line.hpp"
#include "exec/settings.hpp"
#include "exec/waiting.hpp"

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tftpkit::exec {

class Runs final : public Mode {
 public:
  // All of them outlive it.
  Runs(const Settings& settings, Host host, Poller& poller)
      : settings_(settings), host_(host), poller_(poller) {}

  void take(Job job) override;
  void tick(Clock::time_point now) override;
  [[nodiscard]] Clock::time_point due() const override;
  void stop() override;

 private:
  struct Run {
    Run(Job given, const std::string& spool)
        : job(std::move(given)), path(view_of(job.request().path)), body(spool) {}
    Job job;
    std::string path;
    bool answered = false;  // then it is only waited for its end
    Body body;
    LastLine said;
    kit::UniqueFd out;
    kit::UniqueFd err;
    std::unique_ptr<Child> child;
    Clock::time_point until;
  };
  using Place = std::list<Run>::iterator;

  void begin_waiting();
  void begin(Job job);
  void spawn(Run& run);
  void read(kit::UniqueFd& fd, const std::function<void(std::string_view)>& use);
  void read_out(Run& run);
  void read_err(Run& run);
  void close(kit::UniqueFd& fd);
  void ended(Place place);
  void drain(Run& run);
  void remove(Place place);
  // By how it ended.
  void judge(Run& run, const End& end);
  // Answers with a failure and ends the command.
  void give_up(Run& run, Status status, const std::string& why);
  void fail(Run& run, Status status, const std::string& why);
  void log(Level level, const Run& run, const std::string& what, const std::string& said) const;

  const Settings& settings_;
  Host host_;
  Poller& poller_;
  Waiting waiting_;
  std::list<Run> running_;
  Clock::time_point next_look_;  // for requests that were given up
  std::array<char, 65536> buffer_{};
};

}  // namespace tftpkit::exec
