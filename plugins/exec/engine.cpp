#include "exec/engine.hpp"

#include "kit/quiet_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <utility>

namespace tftpkit::exec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_sleep{60'000};

}  // namespace

Engine::Engine() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "no eventfd");
  poller_.watch(wake_.get(), EPOLLIN, [this] {
    eventfd_t seen = 0;
    ::eventfd_read(wake_.get(), &seen);
  });
}

void Engine::start(std::unique_ptr<Mode> mode) {
  mode_ = std::move(mode);
  stopping_ = false;
  thread_ = kit::quiet_thread([this] { run(); });
}

void Engine::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
  mode_.reset();
}

void Engine::add(Job job) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = new_.empty();
    new_.push_back(std::move(job));
  }
  if (first) ::eventfd_write(wake_.get(), 1);
}

void Engine::take_new() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(new_);
  }
  for (Job& job : jobs)
    mode_->take(std::move(job));
}

void Engine::run() {
  for (;;) {
    const auto sleep = std::chrono::ceil<milliseconds>(mode_->due() - Clock::now());
    poller_.wait(std::clamp(sleep, milliseconds(0), longest_sleep));
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    take_new();
    mode_->tick(Clock::now());
  }
  take_new();
  mode_->stop();
}

}  // namespace tftpkit::exec
