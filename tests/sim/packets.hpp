// Packets as the simulated clients and the referee read and write them: by the RFCs, not by room wire, whose
// mistakes would otherwise agree with themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::sim {

using Bytes = std::vector<std::byte>;
using Options = std::vector<std::pair<std::string, std::string>>;

enum Opcode : std::uint16_t { rrq = 1, wrq = 2, data = 3, ack = 4, error = 5, oack = 6 };

// 0 when there is none.
[[nodiscard]] std::uint16_t opcode(std::span<const std::byte> packet) noexcept;
// The block number or error code.
[[nodiscard]] std::uint16_t number(std::span<const std::byte> packet) noexcept;

[[nodiscard]] Bytes make_request(Opcode op, std::string_view path, std::string_view mode,
                                 const Options& options);
[[nodiscard]] Bytes make_ack(std::uint16_t block);
[[nodiscard]] Bytes make_error(std::uint16_t code, std::string_view text);

// Nothing unless it is pairs of NUL-ended strings to the last byte.
[[nodiscard]] std::optional<Options> read_oack(std::span<const std::byte> packet);
// Nothing unless the text ends with the only NUL, which is the last byte.
[[nodiscard]] std::optional<std::string> read_error(std::span<const std::byte> packet);

[[nodiscard]] const std::string* option(const Options& options, std::string_view name) noexcept;
[[nodiscard]] std::string described(std::span<const std::byte> packet);

}  // namespace tftpkit::sim
