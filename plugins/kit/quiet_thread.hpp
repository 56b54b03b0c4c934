// A thread of a plugin: signals belong to the server's threads, so this one gets none.
#pragma once

#include <csignal>
#include <pthread.h>
#include <thread>
#include <utility>

namespace tftpkit::kit {

template <class Body>
[[nodiscard]] std::thread quiet_thread(Body body) {
  // What a thread blocks it has from the one that makes it; restored also when there is none to be had.
  struct Blocked {
    Blocked() {
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    sigset_t before{};
  };
  const Blocked blocked;
  return std::thread(std::move(body));
}

}  // namespace tftpkit::kit
