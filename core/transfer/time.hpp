// The clock of this room: always an argument, never read here, so that a test can move it.
#pragma once

#include <chrono>

namespace tftpkit::transfer {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace tftpkit::transfer
