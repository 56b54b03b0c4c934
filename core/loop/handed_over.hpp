// Sockets that whoever started this process has bound for it: systemd's socket activation, sd_listen_fds(3).
// Knows nothing about what is then served there.
#pragma once

#include "loop/claim.hpp"
#include "loop/fd.hpp"

#include <vector>

namespace tftpkit::loop {

// The descriptors that $LISTEN_FDS counts, if $LISTEN_PID is this process; they are not inherited any
// further, and neither are the variables. To be called once, with one thread, before anything else opens
// descriptors. Throws std::runtime_error for a count that is none.
std::vector<Fd> take_handed_over();

// As claim_ports(), from sockets that are bound already. Sockets of one address are a SO_REUSEPORT group, one
// for each of so many workers. More are bound until there are `workers`, where the kernel lets this user join
// the group; else the group is as small as it is: with one socket one worker has all requests.
// Throws std::runtime_error for what is no UDP socket, or one for IPv6 that takes IPv4 too.
std::vector<ClaimedPort> claim_handed_over(std::vector<Fd> sockets, unsigned workers);

}  // namespace tftpkit::loop
