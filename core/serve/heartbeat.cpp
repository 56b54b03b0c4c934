#include "serve/heartbeat.hpp"

#include "serve/worker.hpp"

namespace tftpkit::serve {

namespace {

constexpr int rounds_in_time = 3;  // a round may be late, or its datagram lost, and nothing happens yet

}  // namespace

Heartbeat::Heartbeat(loop::Loop& control, loop::Deadlines& deadlines, const Supervisor& supervisor,
                     std::span<const std::unique_ptr<Worker>> workers)
    : control_{control}, deadlines_{deadlines}, supervisor_{supervisor}, workers_{workers} {
  round_->owner = this;
  if (supervisor_.patience()) begin_round();
}

Heartbeat::~Heartbeat() {
  round_->owner = nullptr;
  deadlines_.cancel(next_);
}

void Heartbeat::begin_round() {
  missing_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->answer([&control = control_, round = round_] {
      control.post([round] {
        if (round->owner != nullptr) round->owner->on_answer();
      });
    });
  }
}

void Heartbeat::on_answer() {
  if (--missing_ != 0) return;
  supervisor_.alive();
  deadlines_.set_after(next_, *supervisor_.patience() / rounds_in_time);
}

}  // namespace tftpkit::serve
