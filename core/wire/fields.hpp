// Walks over the NUL-terminated strings of a request or an OACK. Private to this room.
#pragma once

#include "wire/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tftpkit::wire {

enum Opcode : std::uint16_t {
  opcode_rrq = 1,
  opcode_wrq = 2,
  opcode_data = 3,
  opcode_ack = 4,
  opcode_error = 5,
  opcode_oack = 6
};

// Big-endian; the caller has checked that two bytes are there.
std::uint16_t read_u16(std::span<const std::byte> bytes) noexcept;

class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) noexcept;

  // The next string; the last one may lack its NUL. nullopt when no byte is left.
  std::optional<std::string_view> next() noexcept;

 private:
  std::string_view rest_;
};

// Name and value pairs up to an empty name, the end, or max_options. The first of several equal names wins.
std::vector<Option> read_options(Fields& fields);

}  // namespace tftpkit::wire
