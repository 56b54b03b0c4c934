// What a serving program says to a request: one line of JSON. README.md has the protocol.
#pragma once

#include <tftpkit/plugin.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tftpkit::exec {

struct Reply {
  enum class Kind { bytes, text, file, descriptor, redirect, declined, failed };

  std::uint64_t id = 0;  // of the request
  Kind kind = Kind::failed;
  std::uint64_t size = 0;  // bytes: how many follow the line
  std::string text;        // the text itself, a path, or why not
  Status status = Status::io;
};

// `line` without its newline. Throws std::invalid_argument that says what is wrong.
[[nodiscard]] Reply reply_from(std::string_view line);

}  // namespace tftpkit::exec
