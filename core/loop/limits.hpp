// What the kernel lets this process have, raised at start.
#pragma once

#include <cstdint>

namespace tftpkit::loop {

struct OpenFilesLimit {
  std::uint64_t hard_before = 0;
  std::uint64_t now = 0;
};

// Raises the limit of open descriptors to `wanted`, or to the hard limit if that is more; beyond the hard
// limit only where this process may (CAP_SYS_RESOURCE).
OpenFilesLimit raise_open_files_limit(std::uint64_t wanted) noexcept;

}  // namespace tftpkit::loop
