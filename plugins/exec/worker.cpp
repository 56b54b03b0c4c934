#include "exec/worker.hpp"

#include "exec/question.hpp"
#include "exec/seconds.hpp"
#include "exec/waiting.hpp"
#include "kit/neighbour.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::exec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_delay{100};
constexpr milliseconds longest_delay{30'000};
constexpr milliseconds runs_well{30'000};   // then the next end begins with the first delay again
constexpr milliseconds between_looks{200};  // for requests that were given up
constexpr milliseconds to_end_after_output{1'000};
constexpr int reads_in_a_row = 16;

}  // namespace

Worker::Worker(const Settings& settings, Host host, Poller& poller)
    : settings_(settings), host_(host), poller_(poller), delay_(first_delay) {
  start();
}

Worker::~Worker() {
  close_streams();
  if (child_) poller_.forget(child_->pidfd());
}

void Worker::start() {
  Pair in = pipe_to_child();
  Pair out = socket_from_child();
  Pair err = pipe_from_child();
  child_ = std::make_unique<Child>(settings_.program, settings_.environment,
                                   Streams{in.theirs.get(), out.theirs.get(), err.theirs.get()});
  in_ = std::move(in.ours);
  out_ = std::move(out.ours);
  err_ = std::move(err.ours);
  broken_ = false;
  started_ = heard_ = Clock::now();
  next_look_ = started_ + between_looks;
  poller_.watch(out_.get(), EPOLLIN, [this] { receive(); });
  poller_.watch(err_.get(), EPOLLIN, [this] { hear(); });
  poller_.watch(child_->pidfd(), EPOLLIN, [this] { ended(); });
}

void Worker::restart() {
  try {
    start();
  } catch (const std::system_error& failed) {
    if (child_) poller_.forget(child_->pidfd());
    child_.reset();
    close_streams();
    why_ = failed.what();
    next_start_ = Clock::now() + delay_;
    host_.log(Level::error, why_ + "; tried again in " + in_seconds(delay_));
    delay_ = std::min(delay_ * 2, longest_delay);
  }
}

void Worker::close(kit::UniqueFd& fd) {
  if (fd) poller_.forget(fd.get());
  fd = kit::UniqueFd();
}

void Worker::close_streams() {
  close(in_);
  close(out_);
  close(err_);
  said_ = LastLine();
  to_send_.clear();
  line_.clear();
  incoming_.reset();
  descriptors_.clear();
  given_up_.clear();
  silent_since_.reset();
}

bool Worker::has_room() const noexcept {
  return child_ && !broken_ && !stopping_ && !silent_since_ && asked_.size() < settings_.concurrency;
}

void Worker::give(Job job) {
  to_send_ += question_line(job.request(), kit::neighbour_of(*host_.table(), job.id()));
  const std::uint64_t id = job.id();
  asked_.insert_or_assign(id, Asked{std::move(job), Clock::now()});
}

void Worker::flush() {
  if (to_send_.empty() || !in_ || broken_) return;
  const ssize_t sent = ::write(in_.get(), to_send_.data(), to_send_.size());
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return close(in_);  // it ends, or its time limit does it
  const bool was_full = to_send_.size() > static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  to_send_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  poller_.forget(in_.get());
  if (was_full) poller_.watch(in_.get(), EPOLLOUT, [this] { flush(); });
}

void Worker::hear() {
  for (int i = 0; err_ && i < reads_in_a_row; ++i) {
    const ssize_t count = ::read(err_.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close(err_);
    said_.add({buffer_.data(), static_cast<std::size_t>(count)});
    if (host_.log_enabled(Level::debug)) host_.log(Level::debug, "the program says: " + said_.text());
  }
}

// It says no more than what is on the way: that is taken, and the rest of what it was asked fails.
void Worker::ended() {
  if (!child_ || !child_->ended()) return;
  const End end = child_->reap();
  receive();
  hear();
  const auto now = Clock::now();
  if (now - started_ >= runs_well) delay_ = first_delay;
  why_ = broken_ ? "the program was ended: " + why_ : "the program " + end.text();
  if (!stopping_) {
    const std::string said = said_.text();
    host_.log(Level::error, why_ + (said.empty() ? "" : "; its last line: " + said) + "; started again in " +
                                in_seconds(delay_));
  }
  poller_.forget(child_->pidfd());
  child_.reset();
  answer_all(broken_ ? "the program was ended" : why_);
  close_streams();
  next_start_ = now + delay_;
  delay_ = std::min(delay_ * 2, longest_delay);
}

void Worker::break_off(const std::string& why) {
  if (std::exchange(broken_, true)) return;
  why_ = why;
  child_->kill();
}

void Worker::answer_all(const std::string& why) {
  for (auto& [id, asked] : asked_)
    asked.job.answer(error(Status::unavailable, why));
  asked_.clear();
}

void Worker::finish(Place place, Answer answer) {
  Job job = std::move(place->second.job);
  asked_.erase(place);
  job.answer(std::move(answer));
}

// It is not told: what it says to the request is passed over.
void Worker::give_up(Place place, Answer answer) {
  if (!incoming_ || incoming_->id != place->first) given_up_.insert(place->first);
  finish(place, std::move(answer));
}

// A program that still answers others is only late with this one; one that says nothing at all hangs.
void Worker::look_at_asked(Clock::time_point now) {
  const bool look_for_cancelled = now >= next_look_;
  if (look_for_cancelled) next_look_ = now + between_looks;
  for (auto next = asked_.begin(); next != asked_.end();) {
    const Place place = next++;
    const auto given = place->second.given;
    if (now >= given + settings_.time_limit) {
      give_up(place, error(Status::timeout,
                           "the program took longer than its limit of " + in_seconds(settings_.time_limit)));
      if (heard_ <= given) break_off("it said nothing for " + in_seconds(settings_.time_limit));
    } else if (look_for_cancelled && place->second.job.cancelled()) {
      give_up(place, client_is_gone());
    }
  }
}

void Worker::tick(Clock::time_point now) {
  if (child_) {
    look_at_asked(now);
    if (silent_since_ && now >= *silent_since_ + to_end_after_output)
      break_off("it closed its standard output");
  } else if (!stopping_ && now >= next_start_) {
    restart();
  }
}

Clock::time_point Worker::due() const {
  if (!child_) return stopping_ ? Clock::time_point::max() : next_start_;
  auto first = silent_since_ && !broken_ ? *silent_since_ + to_end_after_output : Clock::time_point::max();
  if (!asked_.empty()) first = std::min(first, next_look_);
  for (const auto& [id, asked] : asked_)
    first = std::min(first, asked.given + settings_.time_limit);
  return first;
}

void Worker::stop() {
  stopping_ = true;
  answer_all("the server stops");
  close(in_);
}

void Worker::kill() {
  if (child_) child_->kill();
}

}  // namespace tftpkit::exec
