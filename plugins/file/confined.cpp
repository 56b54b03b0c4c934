// The kernel's way to stay beneath a directory, and the choice between it and the walk in steps.cpp.
#include "confined.hpp"

#include "steps.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

namespace tftpkit::file {
namespace {

// EAGAIN: something was renamed or mounted while ".." of a link was followed. It passes; somebody who renames
// in a tight loop must not hold us for ever, though.
constexpr int attempts = 64;

// O_NONBLOCK: a file under a lease (Samba, NFS server) answers EWOULDBLOCK instead of making us wait.
constexpr int to_be_read = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

int open_with_kernel(int root, const char* path, std::uint64_t flags, std::uint64_t resolve) noexcept {
  open_how how{};
  how.flags = flags;
  how.resolve = resolve;
  long fd = -1;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    if ((resolve & RESOLVE_CACHED) != 0) break;
  }
  return static_cast<int>(fd);
}

std::uint64_t resolve_flags(Symlinks symlinks) noexcept {
  switch (symlinks) {
  case Symlinks::beneath: return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  case Symlinks::none: return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  case Symlinks::anywhere: break;
  }
  return RESOLVE_NO_MAGICLINKS;
}

Opened taken(int fd) noexcept {
  if (fd < 0) return {UniqueFd(), errno};
  return {UniqueFd(fd), 0};
}

}  // namespace

Lookup best_lookup(int directory) noexcept {
  // Old kernels say ENOSYS, filters of sandboxes EPERM (or whatever they like): only success counts.
  const UniqueFd probe(open_with_kernel(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC,
                                        RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS));
  return probe ? Lookup::kernel : Lookup::steps;
}

Opened find_beneath(int root, const std::string& path, Symlinks symlinks, Lookup lookup) {
  const char* name = path.empty() ? "." : path.c_str();
  if (lookup != Lookup::steps) {
    const std::uint64_t cached = lookup == Lookup::cached ? RESOLVE_CACHED : 0;
    return taken(open_with_kernel(root, name, O_PATH | O_CLOEXEC, resolve_flags(symlinks) | cached));
  }
  if (symlinks == Symlinks::anywhere) return taken(::openat(root, name, O_PATH | O_CLOEXEC));
  return walk_beneath(root, path, symlinks == Symlinks::beneath);
}

Opened open_beneath(int root, const std::string& path, Symlinks symlinks) noexcept {
  return taken(open_with_kernel(root, path.c_str(), to_be_read, resolve_flags(symlinks) | RESOLVE_CACHED));
}

Opened find_directory(const std::string& path) noexcept {
  return taken(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

Reopening::Reopening() noexcept : descriptors_(find_directory("/proc/self/fd")) {}

Opened Reopening::operator()(const UniqueFd& found, int extra_flags) const noexcept {
  if (!descriptors_.fd) return {UniqueFd(), descriptors_.error};
  char name[16];
  std::snprintf(name, sizeof name, "%d", found.get());
  // O_NONBLOCK: a file under a lease (Samba, NFS server) answers EWOULDBLOCK instead of making us wait.
  return taken(
      ::openat(descriptors_.fd.get(), name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | extra_flags));
}

}  // namespace tftpkit::file
