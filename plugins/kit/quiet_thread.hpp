// A thread of a plugin: signals belong to the server's threads, so this one gets none.
#pragma once

#include "observe/signals_blocked.hpp"

#include <thread>
#include <utility>

namespace tftpkit::kit {

template <class Body>
[[nodiscard]] std::thread quiet_thread(Body body) {
  const observe::SignalsBlocked blocked;  // what a thread blocks it has from the one that makes it
  return std::thread(std::move(body));
}

}  // namespace tftpkit::kit
