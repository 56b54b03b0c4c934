#include "exec/exec.hpp"

#include "exec/runs.hpp"
#include "exec/serves.hpp"

namespace tftpkit::exec {

Exec::Exec(Host host) : settings_(read_settings(host)) {}

void Exec::start() {
  auto engine = std::make_unique<Engine>();
  if (settings_.way == Way::serve)
    engine->start(std::make_unique<Serves>(settings_, host(), engine->poller()));
  else
    engine->start(std::make_unique<Runs>(settings_, host(), engine->poller()));
  engine_ = std::move(engine);
}

void Exec::stop() {
  engine_.reset();
}

Answer Exec::open(const Request& request) {
  const std::size_t at_once =
      settings_.concurrency * (settings_.way == Way::serve ? settings_.programs : std::size_t{1});
  if (open_.load(std::memory_order_relaxed) >= at_once + settings_.max_waiting)
    return error(Status::unavailable, std::to_string(settings_.max_waiting) + " requests wait already");
  engine_->add(Job(defer(request), request.raw(), open_));
  return pending();
}

}  // namespace tftpkit::exec
