// OpenFile: a regular file with what it looked like when it was opened, read by position. Notices at the end
// that somebody wrote to it meanwhile. Any thread may read.
#pragma once

#include "host/unique_fd.hpp"
#include "serve/ring.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace tftpkit::serve {

class OpenFile {
 public:
  enum class Effort { cached_only, whatever_it_takes };

  OpenFile(host::UniqueFd fd, const struct stat& at_open) : fd_{std::move(fd)}, at_open_{at_open} {}

  // Bytes read, or -errno. `cached_only` reads what is in the page cache and says -EAGAIN for the rest
  // (-EOPNOTSUPP on file systems that cannot tell, and on some of them 0).
  [[nodiscard]] ssize_t read(const Space& into, std::uint64_t position, Effort effort) const noexcept;

  // Fills all of `into`, however long it takes. Bytes read, fewer where the file ends before; or -errno.
  [[nodiscard]] ssize_t read_all(Space into, std::uint64_t position) const noexcept;

  // The kernel should have these bytes in memory soon.
  void read_ahead(std::uint64_t position, std::size_t bytes) const noexcept;

  // In words why the bytes read so far may not belong together. Who cannot look does not know: that is no
  // proof of being the same.
  [[nodiscard]] std::optional<std::string> fault() const;

  [[nodiscard]] const struct stat& at_open() const noexcept { return at_open_; }

 private:
  host::UniqueFd fd_;
  struct stat at_open_;
};

// What a read of nothing (0) or a failed one (-errno) means for a transfer, in words.
[[nodiscard]] std::string read_failure(ssize_t got);

}  // namespace tftpkit::serve
