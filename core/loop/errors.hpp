// The one place where errno and libuv codes become outcomes or exceptions.
#pragma once

#include "loop/burst.hpp"
#include "loop/peer_socket.hpp"

#include <string>

namespace tftpkit::loop {

// 0 is ok.
[[nodiscard]] SendStatus send_status(int error) noexcept;
// Errors of a GSO send after which the same data goes out plainly.
[[nodiscard]] bool gso_refused(int error) noexcept;

// Start-up only: std::system_error with "what: reason".
[[noreturn]] void throw_errno(int error, const std::string& what);
void check_uv(int code, const char* what);  // throws when code < 0

}  // namespace tftpkit::loop
