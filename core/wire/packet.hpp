// The packets of a running transfer: encoders for what we send, one decoder for what arrives on a transfer
// port. Knows formats only; whether a packet is expected is decided in transfer/.
#pragma once

#include "wire/error_code.hpp"
#include "wire/request.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tftpkit::wire {

inline constexpr std::size_t header_size = 4;       // opcode and block number of DATA; the whole of ACK
inline constexpr std::size_t max_error_text = 500;  // bytes; an ERROR stays below 512 as old stacks expect

std::array<std::byte, header_size> encode_data_header(std::uint16_t wire_block) noexcept;
std::array<std::byte, header_size> encode_ack(std::uint16_t wire_block) noexcept;

// Text longer than max_error_text is cut (never inside a UTF-8 character), control characters become '?'.
// An empty text becomes the words for the code.
std::vector<std::byte> encode_error(const Reject& reject);

// Exactly opcode and pairs: NULs after them break Cisco and U-Boot.
std::vector<std::byte> encode_oack(std::span<const Option> options);

// RRQ or WRQ, for the client.
std::vector<std::byte> encode_request(const Request& request);

struct Ack {
  std::uint16_t wire_block = 0;
};
struct Data {
  std::uint16_t wire_block = 0;
  std::span<const std::byte> payload;  // into the datagram
};
struct Error {
  ErrorCode code = ErrorCode::not_defined;  // any 16-bit value may arrive
  std::string_view text;                    // into the datagram, as the peer sent it: escape before showing
};
struct Oack {
  std::vector<Option> options;
};
// Too short, an unknown opcode, or an RRQ/WRQ (GRUB sends its RRQ again to the transfer port): to be ignored.
struct NotAPacket {};

// Bytes after a complete ACK are ignored.
std::variant<Ack, Data, Error, Oack, NotAPacket> parse_packet(std::span<const std::byte> datagram);

}  // namespace tftpkit::wire
