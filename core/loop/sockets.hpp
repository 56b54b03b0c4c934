// The few ways in which this room opens UDP sockets: each returns the descriptor or leaves errno.
#pragma once

#include "loop/address.hpp"
#include "loop/fd.hpp"

namespace tftpkit::loop {

// Non-blocking, close-on-exec, IPv6 sockets for IPv6 only, DF off (fragmenting is left to IP).
Fd udp_socket(Family family) noexcept;
bool set_option(int fd, int level, int option, int value) noexcept;
bool bind_to(int fd, const Address& address) noexcept;
bool connect_to(int fd, const Address& address) noexcept;
Address bound_address(int fd) noexcept;  // Family::none on failure
bool share_port(int fd) noexcept;        // SO_REUSEPORT: sockets of this user may have the same port
void make_room(int fd) noexcept;         // buffers of 4 MiB where that is allowed

}  // namespace tftpkit::loop
