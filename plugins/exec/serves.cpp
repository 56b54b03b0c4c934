#include "exec/serves.hpp"

#include <algorithm>

namespace tftpkit::exec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_looks{200};
constexpr milliseconds worth_waiting{500};  // for the next start
constexpr milliseconds to_end_by_itself{1'000};
constexpr milliseconds for_the_last_end{5'000};

}  // namespace

Serves::Serves(const Settings& settings, Host host, Poller& poller) : poller_(poller) {
  for (std::size_t i = 0; i < settings.programs; ++i)
    workers_.push_back(std::make_unique<Worker>(settings, host, poller));
}

void Serves::tick(Clock::time_point now) {
  for (const auto& worker : workers_)
    worker->tick(now);
  if (now >= next_look_) {
    waiting_.forget_cancelled();
    next_look_ = now + between_looks;
  }
  hand_out();
  refuse_while_down(now);
  for (const auto& worker : workers_)
    worker->flush();
}

void Serves::hand_out() {
  for (Worker* worker = nullptr; !waiting_.empty() && (worker = with_most_room()) != nullptr;) {
    Job job = waiting_.next();
    if (job.cancelled())
      job.answer(client_is_gone());
    else
      worker->give(std::move(job));
  }
}

Worker* Serves::with_most_room() const {
  Worker* best = nullptr;
  for (const auto& worker : workers_)
    if (worker->has_room() && (best == nullptr || worker->asked() < best->asked())) best = worker.get();
  return best;
}

// A dead program shall keep nobody waiting; one that is started again soon may.
void Serves::refuse_while_down(Clock::time_point now) {
  const auto is_long_down = [&](const auto& worker) {
    return worker->is_down() && worker->next_start() > now + worth_waiting;
  };
  if (!waiting_.empty() && std::all_of(workers_.begin(), workers_.end(), is_long_down))
    waiting_.refuse_all(workers_.front()->why_down());
}

Clock::time_point Serves::due() const {
  Clock::time_point first = waiting_.empty() ? Clock::time_point::max() : next_look_;
  for (const auto& worker : workers_)
    first = std::min(first, worker->due());
  return first;
}

void Serves::stop() {
  waiting_.refuse_all("the server stops");
  for (const auto& worker : workers_)
    worker->stop();
  wait_for_ends(to_end_by_itself);
  for (const auto& worker : workers_)
    worker->kill();
  wait_for_ends(for_the_last_end);
}

void Serves::wait_for_ends(milliseconds longest) {
  const auto until = Clock::now() + longest;
  const auto is_down = [](const auto& worker) { return worker->is_down(); };
  while (!std::all_of(workers_.begin(), workers_.end(), is_down) && Clock::now() < until)
    poller_.wait(between_looks);
}

}  // namespace tftpkit::exec
