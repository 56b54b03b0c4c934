#include "host/content.hpp"

#include "host/description.hpp"
#include "host/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tftpkit::host {

namespace {

using Bytes = std::vector<char>;

[[noreturn]] void cannot_load(const std::string& what) {
  throw Error(State::cannot_load, what);
}

// A read lease is refused while somebody has the file open for writing, and holds off who would like to; it
// ends with the descriptor. Only the file's owner and root may ask: others see a half-written file by its
// length.
void hold_off_writers(int fd, const std::filesystem::path& file) {
  ::fcntl(fd, F_SETSIG, SIGURG);  // who waits for us is announced by a signal: one that does nothing
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN)
    cannot_load(file.string() + " is still open for writing; it is looked at again when it is closed");
}

bool same_moment(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

Bytes bytes_of(int fd, std::size_t size, const std::filesystem::path& file) {
  Bytes bytes(size);
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n = ::read(fd, bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot_load("cannot read " + file.string() + ": " + std::strerror(errno));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

Bytes bytes_at_one_moment(const std::filesystem::path& file) {
  // O_NONBLOCK: a FIFO of this name must not hang the scanner.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat before {};
  if (!fd || ::fstat(fd.get(), &before) != 0)
    cannot_load("cannot open " + file.string() + ": " + std::strerror(errno));
  if (!S_ISREG(before.st_mode)) throw Error(State::not_a_plugin, file.string() + " is not a regular file");
  hold_off_writers(fd.get(), file);
  Bytes bytes = bytes_of(fd.get(), static_cast<std::size_t>(before.st_size), file);
  struct stat after {};
  if (::fstat(fd.get(), &after) != 0 || after.st_size != before.st_size ||
      bytes.size() != std::size_t(after.st_size) || !same_moment(after.st_mtim, before.st_mtim))
    cannot_load(file.string() + " changed while it was read; it is looked at again when it is closed");
  return bytes;
}

bool ends_in_the_middle(const ElfW(Ehdr) & head, const Bytes& bytes) {
  const auto beyond = [&](std::uint64_t from, std::uint64_t size) {
    return from > bytes.size() || size > bytes.size() - from;
  };
  if (beyond(head.e_shoff, std::uint64_t{head.e_shnum} * head.e_shentsize)) return true;
  if (beyond(head.e_phoff, std::uint64_t{head.e_phnum} * sizeof(ElfW(Phdr)))) return true;
  for (std::size_t i = 0; i < head.e_phnum; ++i) {
    ElfW(Phdr) part{};
    std::memcpy(&part, bytes.data() + head.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type == PT_LOAD && beyond(part.p_offset, part.p_filesz)) return true;
  }
  return false;
}

void check_elf(const std::filesystem::path& file, const Bytes& bytes) {
  if (bytes.size() < sizeof(ElfW(Ehdr)) || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    throw Error(State::not_a_plugin, file.string() + " is not an ELF shared object");
  ElfW(Ehdr) head{};
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.e_type != ET_DYN)
    throw Error(State::not_a_plugin, file.string() + " is not a shared object; link it with -shared");
  constexpr unsigned char own_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (head.e_ident[EI_CLASS] == own_class && ends_in_the_middle(head, bytes))
    cannot_load(file.string() + " ends in the middle of a shared object; was it copied to its end?");
}

// FNV-1a twice, forward and backward: 128 bits against accidents. Who may write here may run code anyway.
std::string identity_of(const Bytes& bytes) {
  constexpr std::uint64_t basis = 0xcbf29ce484222325U;
  constexpr std::uint64_t prime = 0x100000001b3U;
  std::uint64_t forward = basis;
  std::uint64_t backward = basis ^ bytes.size();
  for (const char byte : bytes)
    forward = (forward ^ static_cast<unsigned char>(byte)) * prime;
  for (std::size_t at = bytes.size(); at != 0; --at)
    backward = (backward ^ static_cast<unsigned char>(bytes[at - 1])) * prime;
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(forward),
                static_cast<unsigned long long>(backward));
  return text.data();
}

}  // namespace

Content read_content(const std::filesystem::path& file) {
  Bytes bytes = bytes_at_one_moment(file);
  check_elf(file, bytes);
  std::string identity = identity_of(bytes);
  return {std::move(bytes), std::move(identity)};
}

}  // namespace tftpkit::host
