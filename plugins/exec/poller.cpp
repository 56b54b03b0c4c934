#include "exec/poller.hpp"

#include <array>
#include <cerrno>
#include <span>
#include <sys/epoll.h>
#include <system_error>
#include <utility>

namespace tftpkit::exec {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw std::system_error(errno, std::generic_category(), "no epoll");
}

void Poller::watch(int fd, std::uint32_t events, std::function<void()> called) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
  called_[fd] = std::make_shared<std::function<void()>>(std::move(called));
}

void Poller::change(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::forget(int fd) {
  if (called_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Poller::wait(std::chrono::milliseconds longest) {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(longest.count()));
  for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    const auto found = called_.find(event.data.fd);
    if (found == called_.end()) continue;
    const auto called = found->second;  // it may forget itself
    (*called)();
  }
}

}  // namespace tftpkit::exec
