// How a transfer ended.
#pragma once

#include <cstdint>
#include <string_view>

namespace tftpkit::transfer {

enum class Outcome : std::uint8_t {
  delivered,     // the last block is acknowledged (Sender) or here (Receiver)
  unconfirmed,   // all sent, the last ACK never came: most likely delivered
  probed,        // the client ended it with ERROR 0 or 8 before any DATA was acknowledged: EDK2's size probe,
                 // normal
  client_error,  // the peer sent an ERROR
  timed_out,     // too many tries or too long a silence
  unreachable,   // the peer's port is closed (ICMP)
  refused,       // Receiver only: what came cannot be accepted; Receiver::refusal() says why
};

// "delivered", "timed out", ...: for log lines.
std::string_view words(Outcome outcome) noexcept;

}  // namespace tftpkit::transfer
