// Heartbeat: tells the supervisor that the server is alive as long as all of its loops turn. A round begins
// on the control loop, goes once through every worker's loop, and only when all have answered the supervisor
// hears of it: a loop that hangs ends it. Owned by the server, on the control loop.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/loop.hpp"
#include "serve/supervisor.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace tftpkit::serve {

class Worker;

class Heartbeat {
 public:
  // Begins at once, if the supervisor waits for it. All must outlive this.
  Heartbeat(loop::Loop& control, loop::Deadlines& deadlines, const Supervisor& supervisor,
            std::span<const std::unique_ptr<Worker>> workers);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void begin_round();
  void on_answer();

  // Shared with what is under way in the loops when this ends.
  struct Round {
    Heartbeat* owner = nullptr;
  };

  loop::Loop& control_;
  loop::Deadlines& deadlines_;
  const Supervisor& supervisor_;
  std::span<const std::unique_ptr<Worker>> workers_;
  std::shared_ptr<Round> round_ = std::make_shared<Round>();
  std::size_t missing_ = 0;  // answers of this round
  loop::Deadline next_ = loop::Deadline::calls<&Heartbeat::begin_round>(this);
};

}  // namespace tftpkit::serve
