// The error queue of an unconnected UDP socket (ip(7), IP_RECVERR): which peer an ICMP error is about.
#pragma once

#include "loop/address.hpp"

#include <optional>

namespace tftpkit::loop {

// ICMP errors are then queued instead of being lost.
void queue_icmp_errors(int fd, Family family) noexcept;

struct IcmpError {
  Address peer;   // to whom the packet was sent
  int error = 0;  // errno: ECONNREFUSED when nobody listens there
};

// Takes one from the queue; nothing when it is empty.
std::optional<IcmpError> next_icmp_error(int fd) noexcept;

}  // namespace tftpkit::loop
