// The few ways in which this room opens UDP sockets: each returns the descriptor or leaves errno.
#pragma once

#include "loop/address.hpp"
#include "loop/fd.hpp"

namespace tftpkit::loop {

// Non-blocking, close-on-exec, IPv6 sockets for IPv6 only, DF off (fragmenting is left to IP).
Fd udp_socket(Family family) noexcept;
// The same for listening: tells which address was asked, with large buffers. It has to be told before the
// first packet is queued, hence before bind.
Fd listening_socket(Family family) noexcept;
bool prepare_listening(int fd, Family family) noexcept;  // a socket of somebody else's
bool set_option(int fd, int level, int option, int value) noexcept;
bool bind_to(int fd, const Address& address) noexcept;
bool connect_to(int fd, const Address& address) noexcept;
Address bound_address(int fd) noexcept;  // Family::none on failure
bool share_port(int fd) noexcept;        // SO_REUSEPORT: sockets of this user may have the same port
void make_room(int fd) noexcept;         // buffers of 4 MiB where that is allowed

}  // namespace tftpkit::loop
