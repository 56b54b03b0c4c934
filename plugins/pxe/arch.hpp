// Processor architectures and firmware, as loader rules call them, and how a client shows its own.
#pragma once

#include <tftpkit/plugin.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::pxe {

// "bios", "uefi-x64", ..., and "uefi" for all of those.
[[nodiscard]] const std::vector<std::string>& arch_words();

// The number that a client sends to the DHCP server (RFC 4578, IANA); "" when there is no word for it.
[[nodiscard]] std::string arch_of_number(std::uint16_t number);

// What the options of a request tell: UEFI's own client asks in a way of its own, on every processor: "uefi".
[[nodiscard]] std::string arch_of_options(const Request& request);

// U-Boot asks for a timeout and not for the size; SLOF and s390 firmware for a block size alone.
[[nodiscard]] bool is_small_loader(const Request& request);

// Does a rule for `wanted` fit a client that is `known`?
[[nodiscard]] bool arch_fits(std::string_view wanted, std::string_view known);

}  // namespace tftpkit::pxe
