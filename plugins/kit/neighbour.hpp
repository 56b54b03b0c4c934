// What the kernel's neighbour table says of the peer, as a value.
#pragma once

#include "kit/mac.hpp"

#include <tftpkit/plugin.h>

namespace tftpkit::kit {

// Known for peers on a directly attached link only; the table is read from memory, nothing waits.
[[nodiscard]] inline std::optional<Mac> neighbour_of(const tftpkit_host& host, std::uint64_t request_id) {
  Mac mac;
  if (host.peer_link_address(&host, request_id, mac.bytes.data()) != TFTPKIT_OK) return std::nullopt;
  return mac;
}

}  // namespace tftpkit::kit
