// Options asked + our limits -> Terms and the OACK (RFC 2347, 2348, 2349, 7440), for both ends of a transfer.
// Made before the source is opened, because a plugin may want to see the terms; the size comes later.
#pragma once

#include "wire/request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace tftpkit::transfer {

inline constexpr std::uint16_t min_blksize = 8;
inline constexpr std::uint16_t default_blksize = 512;
inline constexpr std::uint16_t max_blksize = 65464;

// What this end allows. Values out of range are taken as the nearest possible one.
struct Limits {
  std::uint16_t blksize_max = max_blksize;
  std::uint16_t blksize_path = max_blksize;  // what fits the path MTU
  std::uint16_t windowsize_max = 64;
  unsigned rollover = 0;  // for clients that do not ask: 65535 is followed by 0 or by 1
};

// What both ends keep to during one transfer.
struct Terms {
  std::uint16_t blksize = default_blksize;
  std::uint16_t windowsize = 1;                      // blocks
  std::optional<std::chrono::microseconds> timeout;  // retransmission interval the client asked for
  std::uint8_t rollover = 0;                         // 0 or 1
  wire::Mode mode = wire::Mode::octet;
  bool wants_tsize = false;

  bool operator==(const Terms&) const = default;
};

struct Agreement {
  Terms terms;
  std::vector<wire::Option> answers;            // the OACK's pairs, but for the value of tsize
  std::optional<std::size_t> tsize_at;          // which of answers is tsize
  std::optional<std::uint64_t> announced_size;  // the tsize value asked: for a WRQ the size to come
};

// Malformed, out-of-range and unknown options are left out, as RFC 2347 has it; nothing here refuses a
// request.
Agreement negotiate(const wire::Request& request, const Limits& limits);

// Names as received, in the order of the request, only what was asked, values never above what was asked.
// tsize only when asked and the size is known (octets on the wire, so after netascii). Empty: no OACK, start
// with DATA 1 / ACK 0.
std::vector<wire::Option> oack_options(const Agreement& agreement, std::optional<std::uint64_t> size);

// The client's side: the terms after an OACK, with the server's tsize; Reject 8 for an option that was not
// asked or a value that was not allowed.
struct Accepted {
  Terms terms;
  std::optional<std::uint64_t> tsize;
};
std::variant<Accepted, wire::Reject> accept_oack(const wire::Request& asked,
                                                 std::span<const wire::Option> oack);

// Decimal digits only: no sign, no space, at least one digit; leading zeros are fine; beyond 64 bit
// saturates.
std::optional<std::uint64_t> decimal(std::string_view text) noexcept;

}  // namespace tftpkit::transfer
