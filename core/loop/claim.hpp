// claim_ports: binds every listening address for every worker, once, at start, before privileges are
// dropped. Knows nothing about what is then served there.
#pragma once

#include "loop/address.hpp"
#include "loop/fd.hpp"

#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

namespace tftpkit::loop {

struct ClaimedPort {
  Address address;          // with the port that port 0 became
  std::vector<Fd> sockets;  // one per worker; together a SO_REUSEPORT group
};

// what() names the address and says what is wrong; error() is the errno for callers that know a way out.
class ClaimError : public std::runtime_error {
 public:
  ClaimError(const Address& address, int error, const std::string& text);
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  Address address_;
  int error_;
};

// A port that anybody has bound is refused with EADDRINUSE, also when that is a second copy of this
// server: the first worker's socket binds exclusively and opens the port to the others only then.
// Port 0 becomes one port for all workers; 0.0.0.0:0 followed by [::]:0 get the same one.
// Throws ClaimError; nothing stays bound then.
std::vector<ClaimedPort> claim_ports(std::span<const Address> addresses, unsigned workers);

}  // namespace tftpkit::loop
