#include "isolation/shared_memory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

namespace tftpkit::isolation {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

host::UniqueFd memory_file() {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
#ifdef MFD_NOEXEC_SEAL
  constexpr unsigned never_executed = MFD_NOEXEC_SEAL;
#else
  constexpr unsigned never_executed = 0x0008U;  // Linux 6.3; older kernels refuse the flag
#endif
  host::UniqueFd file(::memfd_create("tftpkit-body", flags | never_executed));
  if (!file && errno == EINVAL) file.reset(::memfd_create("tftpkit-body", flags));
  if (!file) fail("memfd_create");
  return file;
}

}  // namespace

Mapping::Mapping(const host::UniqueFd& file, std::size_t size, Access access) : size_{size} {
  if (size == 0) return;
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* at = ::mmap(nullptr, size, protection, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) fail("mmap");
  data_ = static_cast<std::byte*>(at);
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

host::UniqueFd sealed_copy(std::span<const std::byte> bytes) {
  host::UniqueFd file = memory_file();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("writing a memory file");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    fail("sealing a memory file");
  return file;
}

host::UniqueFd shared_memory(std::size_t size) {
  host::UniqueFd file = memory_file();
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) fail("making a memory file");
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fail("sealing a memory file");
  return file;
}

bool safe_to_map(const host::UniqueFd& file, std::uint64_t size, bool constant) noexcept {
  const int wanted = F_SEAL_SHRINK | (constant ? F_SEAL_WRITE : 0);
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  struct stat seen {};
  struct statfs home {};
  if (seals < 0 || (seals & wanted) != wanted) return false;
  // Of huge pages there may be too few when they are looked at: SIGBUS again.
  if (::fstatfs(file.get(), &home) != 0 || home.f_type != TMPFS_MAGIC) return false;
  if (::fstat(file.get(), &seen) != 0) return false;
  return static_cast<std::uint64_t>(seen.st_size) >= size;
}

}  // namespace tftpkit::isolation
