// What the kernel lets this process have, raised at start.
#pragma once

#include <cstdint>

namespace tftpkit::loop {

// Raises the soft limit of open descriptors to the hard one; returns what it is then.
std::uint64_t raise_open_files_limit() noexcept;

}  // namespace tftpkit::loop
