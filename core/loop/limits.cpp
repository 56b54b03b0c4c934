#include "loop/limits.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace tftpkit::loop {

OpenFilesLimit raise_open_files_limit(std::uint64_t wanted) noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  for (const rlim_t most : {std::max<rlim_t>(wanted, limit.rlim_max), limit.rlim_max}) {
    const rlimit raised{most, most};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return {limit.rlim_max, most};
  }
  return {limit.rlim_max, limit.rlim_cur};
}

}  // namespace tftpkit::loop
