// Between messages and the structs of the plugin contract. Trusts nothing that an isolated process says: what
// the server would map or read is looked at first. Internal to this room.
#pragma once

#include "host/unique_fd.hpp"
#include "isolation/message.hpp"
#include "isolation/transfer.hpp"

#include <tftpkit/plugin.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace tftpkit::observe {
class Log;
}

namespace tftpkit::isolation {

Open open_message(const tftpkit_request& request);

// What the host may be told, or nothing when it cannot be used. Bytes and memory move into `transfer`; a
// descriptor stays in `descriptors`, a redirect in `answer`.
std::optional<tftpkit_source> source_of(Answered& answer, const std::vector<host::UniqueFd>& descriptors,
                                        Transfer& transfer, std::function<void(std::uint64_t)> want_more);

// The lowest level that the log writes.
std::uint8_t log_level_of(const observe::Log& log) noexcept;

}  // namespace tftpkit::isolation
