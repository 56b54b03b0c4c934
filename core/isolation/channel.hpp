// One end of the connection between the server and an isolated process: whole messages with descriptors
// beside them, over a socket pair. Believes nothing that comes: what is torn or too long says so. Knows no
// message by name.
#pragma once

#include "host/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tftpkit::isolation {

struct Received {
  enum class Kind : std::uint8_t { message, nothing_yet, ended, too_long };
  Kind kind = Kind::ended;
  std::span<const std::byte> bytes;  // valid until the next receive()
  std::vector<host::UniqueFd> descriptors;
};

enum class SendResult : std::uint8_t { sent, full, ended };

class Channel {
 public:
  Channel() = default;
  explicit Channel(host::UniqueFd socket);

  // Both ends, close-on-exec. Throws std::system_error.
  static std::pair<host::UniqueFd, host::UniqueFd> pair();

  // For any thread; messages are never mixed. The descriptors stay the caller's.
  SendResult send(std::span<const std::byte> bytes, std::span<const int> descriptors = {}) const noexcept;
  // As send(), but waits until there is room.
  bool send_waiting(std::span<const std::byte> bytes, std::span<const int> descriptors = {}) const noexcept;

  // Never waits. One thread.
  Received receive();

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

 private:
  host::UniqueFd socket_;
  std::vector<std::byte> buffer_;
};

}  // namespace tftpkit::isolation
