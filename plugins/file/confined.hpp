// Opening names beneath a directory so that nothing outside of it can be reached. Knows descriptors and
// errno; knows nothing of TFTP, settings or answers. Values only: safe on many threads at once.
#pragma once

#include "kit/unique_fd.hpp"

#include <string>

namespace tftpkit::file {

using kit::UniqueFd;

// What becomes of symbolic links below the root.
enum class Symlinks {
  beneath,   // followed while every step stays beneath the root; absolute ones therefore never
  none,      // refused wherever they stand
  anywhere,  // followed wherever they lead
};

// Who keeps the walk inside. `kernel` is openat2(2), Linux 5.6; `steps` does the same by hand, one part at a
// time, for older kernels and for sandboxes whose filter does not know openat2. `cached` is openat2 that
// finds only what the kernel has in memory (Linux 5.12) and says EAGAIN for the rest.
enum class Lookup { kernel, steps, cached };

// A descriptor, or the errno that stands for why there is none. EXDEV: a symbolic link leads out of the root.
struct Opened {
  UniqueFd fd;
  int error = 0;
};

// `kernel` when openat2 works here, else `steps`. `directory` is any open directory.
Lookup best_lookup(int directory) noexcept;

// Finds `path` (clean: relative, without "." and "..") beneath `root` and gives an O_PATH descriptor of what
// it names. That has no side effect: no FIFO waits, no device is opened, no terminal is acquired.
Opened find_beneath(int root, const std::string& path, Symlinks symlinks, Lookup lookup);

// The same, open to be read, when the kernel has everything about it in memory (else EAGAIN). Only for what
// is known to be a regular file: opening other things may wait, or do something.
Opened open_beneath(int root, const std::string& path, Symlinks symlinks) noexcept;

// A directory by its absolute name, as an O_PATH descriptor.
Opened find_directory(const std::string& path) noexcept;

// The way from an O_PATH descriptor to one that can be read: the very same inode, whatever its name means by
// now. Goes through /proc/self/fd, which it keeps open: it works in the process that made it, and not in one
// that was forked from it.
class Reopening {
 public:
  Reopening() noexcept;
  // `extra_flags`: for example O_DIRECTORY.
  Opened operator()(const UniqueFd& found, int extra_flags) const noexcept;

 private:
  Opened descriptors_;
};

}  // namespace tftpkit::file
