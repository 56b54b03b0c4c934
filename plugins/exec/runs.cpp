#include "exec/runs.hpp"

#include "exec/question.hpp"
#include "exec/seconds.hpp"
#include "kit/neighbour.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string_view>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::exec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_looks{200};  // for requests that were given up
constexpr milliseconds for_the_last_end{5'000};
constexpr int exit_not_mine = 2;

constexpr int reads_in_a_row = 16;  // then others have their turn

}  // namespace

void Runs::take(Job job) {
  waiting_.add(std::move(job));
  begin_waiting();
}

void Runs::begin_waiting() {
  while (!waiting_.empty() && running_.size() < settings_.concurrency)
    begin(waiting_.next());
}

void Runs::begin(Job job) {
  if (job.cancelled()) return job.answer(client_is_gone());
  if (running_.empty()) next_look_ = Clock::now() + between_looks;
  const Place place = running_.emplace(running_.end(), std::move(job), settings_.spool);
  try {
    spawn(*place);
    poller_.watch(place->out.get(), EPOLLIN, [this, place] { read_out(*place); });
    poller_.watch(place->err.get(), EPOLLIN, [this, place] { read_err(*place); });
    poller_.watch(place->child->pidfd(), EPOLLIN, [this, place] { ended(place); });
  } catch (const std::exception& exception) {
    host_.log(Level::error, exception.what());
    place->job.answer(error(Status::unavailable, "the command cannot be run"));
    remove(place);
  }
}

void Runs::spawn(Run& run) {
  Pair out = pipe_from_child();
  Pair err = pipe_from_child();
  std::vector<std::string> environment = settings_.environment;
  for (std::string& one : environment_of(run.job.request(), kit::neighbour_of(*host_.table(), run.job.id())))
    environment.push_back(std::move(one));
  run.child = std::make_unique<Child>(settings_.program, environment,
                                      Streams{-1, out.theirs.get(), err.theirs.get()});
  run.out = std::move(out.ours);
  run.err = std::move(err.ours);
  run.until = Clock::now() + settings_.time_limit;
}

// Calls `use` with what there is to read; the descriptor is closed at its end.
void Runs::read(kit::UniqueFd& fd, const std::function<void(std::string_view)>& use) {
  for (int i = 0; fd && i < reads_in_a_row; ++i) {
    const ssize_t count = ::read(fd.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close(fd);
    use({buffer_.data(), static_cast<std::size_t>(count)});
  }
}

void Runs::read_out(Run& run) {
  read(run.out, [&](std::string_view bytes) {
    if (run.answered) return;
    if (bytes.size() > settings_.max_size - run.body.size())
      return give_up(run, Status::no_space,
                     "the command gave more than its limit of " + std::to_string(settings_.max_size) +
                         " bytes");
    try {
      run.body.add(bytes);
    } catch (const std::exception& exception) {
      give_up(run, Status::no_space, exception.what());
    }
  });
}

void Runs::read_err(Run& run) {
  read(run.err, [&](std::string_view bytes) { run.said.add(bytes); });
}

void Runs::close(kit::UniqueFd& fd) {
  if (fd) poller_.forget(fd.get());
  fd = kit::UniqueFd();
}

void Runs::remove(Place place) {
  if (place->child) poller_.forget(place->child->pidfd());
  close(place->out);
  close(place->err);
  running_.erase(place);
}

// What it left behind ends first, so that nobody writes any more to what is read to its end then.
void Runs::ended(Place place) {
  Run& run = *place;
  if (!run.child->ended()) return;
  const End end = run.child->reap();
  drain(run);
  if (!run.answered) judge(run, end);
  remove(place);
  begin_waiting();
}

// A process that left the group may still hold the pipe and write: no more is read than the limit allows.
void Runs::drain(Run& run) {
  std::uint64_t before = 0;
  do {
    before = run.body.size();
    read_out(run);
  } while (!run.answered && run.body.size() != before);
  read_err(run);
}

void Runs::judge(Run& run, const End& end) {
  const std::string said = run.said.text();
  run.answered = true;
  if (end.exit_status() == exit_not_mine)
    return run.job.answer(declined(said.empty() ? "the command ended with exit status 2" : said));
  if (end.exit_status() != 0) return fail(run, Status::io, "the command " + end.text());
  if (!said.empty() && host_.log_enabled(Level::debug))
    log(Level::debug, run, "the command served and said", said);
  run.job.answer(run.body.take());
}

void Runs::give_up(Run& run, Status status, const std::string& why) {
  run.child->kill();
  if (std::exchange(run.answered, true)) return;
  run.body = Body(settings_.spool);
  fail(run, status, why);
}

void Runs::fail(Run& run, Status status, const std::string& why) {
  log(Level::warning, run, why, run.said.text());
  run.job.answer(error(status, why));
}

void Runs::log(Level level, const Run& run, const std::string& what, const std::string& said) const {
  std::string line(run.path + ": " + what);
  if (!said.empty()) line += "; its last line: " + said;
  host_.log(level, line);
}

void Runs::tick(Clock::time_point now) {
  for (Run& run : running_)
    if (!run.answered && now >= run.until)
      give_up(run, Status::timeout,
              "the command took longer than its limit of " + in_seconds(settings_.time_limit));
  if (now < next_look_) return;
  next_look_ = now + between_looks;
  for (Run& run : running_)
    if (!run.answered && run.job.cancelled()) {
      run.answered = true;
      run.child->kill();
      run.job.answer(client_is_gone());
    }
  waiting_.forget_cancelled();
}

Clock::time_point Runs::due() const {
  if (running_.empty()) return Clock::time_point::max();
  Clock::time_point first = next_look_;
  for (const Run& run : running_)
    if (!run.answered) first = std::min(first, run.until);
  return first;
}

// Killed processes end soon; one that the kernel holds must not keep the server for ever.
void Runs::stop() {
  waiting_.refuse_all("the server stops");
  for (Run& run : running_)
    give_up(run, Status::unavailable, "the server stops");
  const auto until = Clock::now() + for_the_last_end;
  while (!running_.empty() && Clock::now() < until)
    poller_.wait(between_looks);
  for (Run& run : running_)
    static_cast<void>(run.child.release());  // its destructor would wait
}

}  // namespace tftpkit::exec
