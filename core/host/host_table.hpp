// The functions behind the tftpkit_host that an instance receives. Trusts no argument: plugins call these
// from any thread, with any id, at any time. Internal to this room.
#pragma once

#include "host/instance.hpp"

#include <string>

namespace tftpkit::host {

struct HostTable {
  // `instance` must stay where it is as long as the table is used.
  static tftpkit_host made_for(Instance& instance) noexcept;

 private:
  static Instance* of(const tftpkit_host* host) noexcept;
  static void log(const tftpkit_host* host, std::uint32_t level, const char* text, std::size_t len) noexcept;
  static std::int32_t log_enabled(const tftpkit_host* host, std::uint32_t level) noexcept;
  static void explain(const tftpkit_host* host, const char* text, std::size_t len) noexcept;
  static std::int32_t setting(const tftpkit_host* host, const char* pointer, tftpkit_str* value) noexcept;
  static std::int32_t setting_int(const tftpkit_host* host, const char* pointer,
                                  std::int64_t* value) noexcept;
  static std::size_t setting_count(const tftpkit_host* host, const char* pointer) noexcept;
  static std::int32_t cancelled(const tftpkit_host* host, std::uint64_t request_id) noexcept;
  static tftpkit_status complete(const tftpkit_host* host, std::uint64_t request_id, tftpkit_status status,
                                 const tftpkit_source* source, const tftpkit_sink* sink, const char* text,
                                 std::size_t len) noexcept;
  static tftpkit_status peer_link_address(const tftpkit_host* host, std::uint64_t request_id,
                                          std::uint8_t* mac) noexcept;
  static const void* extension(const tftpkit_host* host, const char* name) noexcept;
};

}  // namespace tftpkit::host
