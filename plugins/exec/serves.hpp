// Programs that serve: each request goes to the one that has the fewest. Belongs to the engine's thread.
#pragma once

#include "exec/engine.hpp"
#include "exec/settings.hpp"
#include "exec/waiting.hpp"
#include "exec/worker.hpp"

#include <memory>
#include <vector>

namespace tftpkit::exec {

class Serves final : public Mode {
 public:
  // Starts them. All of it outlives this one. Throws std::system_error when the program cannot be run.
  Serves(const Settings& settings, Host host, Poller& poller);

  void take(Job job) override { waiting_.add(std::move(job)); }
  void tick(Clock::time_point now) override;
  [[nodiscard]] Clock::time_point due() const override;
  void stop() override;

 private:
  void hand_out();
  [[nodiscard]] Worker* with_most_room() const;
  void refuse_while_down(Clock::time_point now);
  void wait_for_ends(std::chrono::milliseconds longest);

  Poller& poller_;
  Waiting waiting_;
  Clock::time_point next_look_;  // for requests that were given up
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace tftpkit::exec
