// Calls whoever waits for a descriptor: an epoll of one thread. A call may come for what has been and gone
// meanwhile, so whoever is called finds out by itself what there is.
#pragma once

#include "kit/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace tftpkit::exec {

class Poller {
 public:
  // Throws std::system_error.
  Poller();

  // EPOLLIN and so on; level-triggered. Throws std::system_error.
  void watch(int fd, std::uint32_t events, std::function<void()> called);
  void change(int fd, std::uint32_t events);
  // Before it is closed.
  void forget(int fd);
  // Waits, once, and makes the calls that are due.
  void wait(std::chrono::milliseconds longest);

 private:
  kit::UniqueFd epoll_;
  std::unordered_map<int, std::shared_ptr<std::function<void()>>> called_;
};

}  // namespace tftpkit::exec
