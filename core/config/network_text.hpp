// Is this the text of an address or a network? Only the syntax: no name is resolved and no interface looked
// for.
#pragma once

#include "config/report.hpp"

#include <optional>
#include <string_view>

namespace tftpkit::config {

// Where to listen: "192.0.2.1:69", "[2001:db8::1]:69", "[fe80::1%eth0]:69", the same without a port (then
// 69),
// ":69", "*:69" or "*" for all addresses. nullopt: it is right.
[[nodiscard]] std::optional<Complaint> listen_complaint(std::string_view text);

// Which clients: "10.0.0.0/8", "2001:db8::/32", or one address. Bits beyond the prefix must be zero.
[[nodiscard]] std::optional<Complaint> network_complaint(std::string_view text);

}  // namespace tftpkit::config
