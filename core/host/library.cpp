#include "host/library.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <mutex>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tftpkit::host {

namespace {

using Bytes = std::vector<char>;

std::string errno_text() {
  return std::strerror(errno);
}

[[noreturn]] void cannot_load(const std::string& what) {
  throw Error(State::cannot_load, what);
}

Bytes content_of(const std::filesystem::path& file) {
  // O_NONBLOCK: a FIFO of this name must not hang the scanner.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat seen {};
  if (!fd || ::fstat(fd.get(), &seen) != 0) cannot_load("cannot open " + file.string() + ": " + errno_text());
  if (!S_ISREG(seen.st_mode)) throw Error(State::not_a_plugin, file.string() + " is not a regular file");
  Bytes bytes(static_cast<std::size_t>(seen.st_size));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot_load("cannot read " + file.string() + ": " + errno_text());
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

void check_elf(const std::filesystem::path& file, const Bytes& bytes) {
  if (bytes.size() < sizeof(ElfW(Ehdr)) || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0)
    throw Error(State::not_a_plugin, file.string() + " is not an ELF shared object");
  ElfW(Ehdr) head{};
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.e_type != ET_DYN)
    throw Error(State::not_a_plugin, file.string() + " is not a shared object; link it with -shared");
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

bool write_all(int fd, const Bytes& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

UniqueFd memory_copy(const std::string& name, const Bytes& bytes) {
#ifndef MFD_EXEC
  constexpr unsigned executable = 0x0010U;  // Linux 6.3; older kernels refuse the flag and need none
#else
  constexpr unsigned executable = MFD_EXEC;
#endif
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(::memfd_create(name.c_str(), flags | executable));
  if (!fd && errno == EINVAL) fd.reset(::memfd_create(name.c_str(), flags));
  if (!fd || !write_all(fd.get(), bytes)) return UniqueFd();
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  return fd;
}

struct Opened {
  void* handle = nullptr;
  std::string trouble;
};

Opened opened(const std::string& path) {
  Opened result;
  result.handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (result.handle == nullptr) {
    const char* said = ::dlerror();
    result.trouble = said != nullptr ? said : "unknown trouble";
    // The linker names our private copy; the operator knows the file.
    if (result.trouble.rfind(path + ": ", 0) == 0) result.trouble.erase(0, path.size() + 2);
  }
  return result;
}

// Where memory files may not be executed (vm.memfd_noexec, SELinux). The copy's name goes at once, its
// mapping stays.
Opened opened_from_disk(const Bytes& bytes, UniqueFd& copy) {
  const char* base = std::getenv("TMPDIR");
  std::string directory = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/tftpkit-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return {nullptr, directory + ": " + errno_text()};
  const std::string path = directory + "/plugin.so";
  copy.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
  Opened result{nullptr, path + ": " + errno_text()};
  if (copy && write_all(copy.get(), bytes)) result = opened(path);
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
  return result;
}

std::string other_major(void* handle) {
  for (int major = 2; major <= 9; ++major) {
    const std::string entry = "tftpkit_plugin_v" + std::to_string(major);
    if (::dlsym(handle, entry.c_str()) != nullptr) return std::to_string(major);
  }
  return {};
}

tftpkit_entry entry_of(void* handle, const std::filesystem::path& file) {
  if (void* symbol = ::dlsym(handle, TFTPKIT_ENTRY_NAME)) return reinterpret_cast<tftpkit_entry>(symbol);
  if (const std::string major = other_major(handle); !major.empty())
    throw Error(State::incompatible,
                file.string() + " speaks ABI " + major + " only, this host speaks 1; update tftpkit");
  throw Error(State::not_a_plugin,
              file.string() + " does not export " TFTPKIT_ENTRY_NAME "; is TFTPKIT_EXPORT_PLUGIN missing?");
}

// A conversion that forgets noexcept: otherwise the compiler leaves no way for an exception to be caught
// here.
const tftpkit_plugin* called(tftpkit_entry entry, const std::filesystem::path& file) {
  const tftpkit_plugin* (*plain)() = entry;
  try {
    return plain();
  } catch (...) {
    throw Error(State::invalid, file.string() + ": the entry " TFTPKIT_ENTRY_NAME "() threw an exception");
  }
}

}  // namespace

// Everything ever loaded, so that equal content is loaded once. Nothing ever leaves, not even what turned out
// to be no usable plugin: it is mapped, and its descriptor must stay open as long as that.
class LibraryRegistry {
 public:
  static LibraryRegistry& instance() {
    static auto* registry = new LibraryRegistry;  // outlives every thread of every plugin
    return *registry;
  }

  std::shared_ptr<Library> load(const std::filesystem::path& given);

 private:
  struct Loaded {
    std::shared_ptr<Library> library;
    std::filesystem::path in_place;  // where it was mapped from, when not from a copy
    std::optional<Error> refusal;
  };

  const Loaded* same(const std::string& identity, const std::filesystem::path& in_place) const;
  void open_copy(Library& library, const Bytes& content);
  void open_in_place(Library& library, const std::filesystem::path& file);
  static void read_descriptor(Library& library);

  std::mutex mutex_;
  std::vector<Loaded> loaded_;
};

const LibraryRegistry::Loaded* LibraryRegistry::same(const std::string& identity,
                                                     const std::filesystem::path& in_place) const {
  for (const Loaded& one : loaded_)
    if (one.library->identity_ == identity && one.in_place == in_place) return &one;
  return nullptr;
}

void LibraryRegistry::open_copy(Library& library, const Bytes& content) {
  library.copy_ = memory_copy(library.file_.filename().string(), content);
  Opened first{nullptr, "memfd_create: " + errno_text()};
  if (library.copy_) first = opened("/proc/self/fd/" + std::to_string(library.copy_.get()));
  if (first.handle == nullptr) {
    Opened second = opened_from_disk(content, library.copy_);
    if (second.handle == nullptr)
      cannot_load(
          library.file_.string() + ": " + first.trouble +
          (second.trouble == first.trouble ? "" : " (and from a copy on disk: " + second.trouble + ")"));
    first = second;
  }
  library.handle_ = first.handle;
}

// The dynamic linker knows a library again by the spelling of its path, and would bring back the old one for
// a file that was renamed into place. So every generation gets another spelling.
void LibraryRegistry::open_in_place(Library& library, const std::filesystem::path& file) {
  std::string path = file.parent_path().string() + "/";
  for (const Loaded& one : loaded_)
    if (one.in_place == file) path += "./";
  const Opened result = opened(path + file.filename().string());
  if (result.handle == nullptr) cannot_load(file.string() + ": " + result.trouble);
  for (const Loaded& one : loaded_)
    if (one.library->handle_ == result.handle)
      cannot_load(file.string() +
                  " was written over while it was loaded; put the new file beside it, rename it "
                  "into place, and restart the server");
  library.handle_ = result.handle;
}

void LibraryRegistry::read_descriptor(Library& library) {
  const std::filesystem::path& file = library.file_;
  const tftpkit_plugin* descriptor = called(entry_of(library.handle_, file), file);
  try {
    library.description_ = described(descriptor, file.stem().string());
  } catch (const Error& error) {
    throw Error(error.state(), file.string() + ": " + error.what());
  }
  library.plugin_ = copied(*descriptor);
}

std::shared_ptr<Library> LibraryRegistry::load(const std::filesystem::path& given) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(given, error);
  if (error) cannot_load("cannot open " + given.string() + ": " + error.message());
  const bool bundle = real.parent_path().filename() == real.stem();
  const std::filesystem::path in_place = bundle ? real : std::filesystem::path();
  const Bytes content = content_of(real);
  check_elf(given, content);
  const std::string identity = identity_of(content);

  const std::lock_guard lock(mutex_);
  if (const Loaded* known = same(identity, in_place)) {
    if (known->refusal) throw Error(*known->refusal);
    return known->library;
  }
  std::shared_ptr<Library> library(new Library);
  library->file_ = given;
  library->identity_ = identity;
  if (bundle)
    open_in_place(*library, real);
  else
    open_copy(*library, content);
  Loaded& entry = loaded_.emplace_back(Loaded{library, in_place, std::nullopt});
  try {
    read_descriptor(*library);
  } catch (const Error& refusal) {
    entry.refusal = refusal;
    throw;
  }
  return library;
}

std::shared_ptr<Library> Library::load(const std::filesystem::path& file) {
  return LibraryRegistry::instance().load(file);
}

}  // namespace tftpkit::host
