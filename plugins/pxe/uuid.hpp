// The UUID of a machine, as SMBIOS has it. Loaders write it in two ways: as printed on the machine, or with
// the first three fields in the order of their bytes on the wire (GRUB).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::pxe {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 that it compares with for a pointer
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// "12345678-9abc-def0-1122-334455667788", digits in any case.
[[nodiscard]] std::optional<Uuid> uuid_from(std::string_view text);
[[nodiscard]] std::string uuid_text(const Uuid& uuid);
// The same machine in the other order.
[[nodiscard]] Uuid other_order(const Uuid& uuid) noexcept;

}  // namespace tftpkit::pxe
