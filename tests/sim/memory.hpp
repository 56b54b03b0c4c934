// Memory: what operator new gave and has not got back. Not with a sanitizer, which looks for leaks itself.
#pragma once

#include <cstddef>

namespace tftpkit::sim {

[[nodiscard]] std::size_t live_allocations() noexcept;

}  // namespace tftpkit::sim
