#include "host/library.hpp"

#include "host/code_ranges.hpp"
#include "host/content.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <mutex>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
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

std::filesystem::path real_path(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(file, error);
  if (error) cannot_load("cannot open " + file.string() + ": " + error.message());
  return real;
}

// <name>/<name>.so has private libraries beside it.
bool is_bundle(const std::filesystem::path& real) {
  return real.parent_path().filename() == real.stem();
}

Content expected_content(const std::filesystem::path& real, const std::filesystem::path& named,
                         const std::string& expected) {
  Content content = read_content(real);
  if (!expected.empty() && content.identity != expected)
    cannot_load(named.string() + " changed after it was looked at; reload once more");
  return content;
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

// The dynamic linker knows a library again by the spelling of its path, and would bring back an old one for
// a number that is in use again. So every generation is spelt in its own way, and needs no descriptor to
// stay open: the bits of `generation` choose between two ways to write a slash.
std::string spelt(int fd, std::size_t generation) {
  std::string path = "/proc/self/fd";
  for (std::size_t left = generation; left != 0; left >>= 1U)
    path += (left & 1U) != 0 ? "/." : "//";
  return path + "/" + std::to_string(fd);
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
Opened opened_from_disk(const Bytes& bytes) {
  const char* base = std::getenv("TMPDIR");
  std::string directory = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/tftpkit-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return {nullptr, directory + ": " + errno_text()};
  const std::string path = directory + "/plugin.so";
  const UniqueFd copy(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
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
// to be no usable plugin: it stays mapped.
class LibraryRegistry {
 public:
  static LibraryRegistry& instance() {
    static auto* registry = new LibraryRegistry;  // outlives every thread of every plugin
    return *registry;
  }

  // `in_place`: where it is mapped from; empty: from a copy of the content.
  std::shared_ptr<Library> load(const std::filesystem::path& given, const Content& content,
                                const std::filesystem::path& in_place);

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
  std::size_t copies_ = 0;  // tried so far
};

const LibraryRegistry::Loaded* LibraryRegistry::same(const std::string& identity,
                                                     const std::filesystem::path& in_place) const {
  for (const Loaded& one : loaded_)
    if (one.library->identity_ == identity && one.in_place == in_place) return &one;
  return nullptr;
}

void LibraryRegistry::open_copy(Library& library, const Bytes& content) {
  const UniqueFd copy = memory_copy(library.file_.filename().string(), content);
  Opened first{nullptr, "memfd_create: " + errno_text()};
  if (copy) first = opened(spelt(copy.get(), ++copies_));
  if (first.handle == nullptr) {
    Opened second = opened_from_disk(content);
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

// Where the library lies in memory.
void add_code_of(void* handle, const std::string& plugin) {
  const link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return;
  struct Search {
    ElfW(Addr) base;
    std::uintptr_t end;
  } search{map->l_addr, map->l_addr};
  const auto visit = [](dl_phdr_info* info, std::size_t, void* data) {
    auto& wanted = *static_cast<Search*>(data);
    if (info->dlpi_addr != wanted.base) return 0;
    for (std::size_t i = 0; i < info->dlpi_phnum; ++i)
      if (const auto& part = info->dlpi_phdr[i]; part.p_type == PT_LOAD)
        wanted.end = std::max<std::uintptr_t>(wanted.end, wanted.base + part.p_vaddr + part.p_memsz);
    return 1;
  };
  ::dl_iterate_phdr(visit, &search);
  add_code_range(search.base, search.end, plugin);
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
  add_code_of(library.handle_, library.description_.name);
}

std::shared_ptr<Library> LibraryRegistry::load(const std::filesystem::path& given, const Content& content,
                                               const std::filesystem::path& in_place) {
  const std::string& identity = content.identity;

  const std::lock_guard lock(mutex_);
  if (const Loaded* known = same(identity, in_place)) {
    if (known->refusal) throw Error(*known->refusal);
    return known->library;
  }
  std::shared_ptr<Library> library(new Library);
  library->file_ = given;
  library->identity_ = identity;
  library->in_place_ = !in_place.empty();
  if (in_place.empty())
    open_copy(*library, content.bytes);
  else
    open_in_place(*library, in_place);
  Loaded& entry = loaded_.emplace_back(Loaded{library, in_place, std::nullopt});
  try {
    read_descriptor(*library);
  } catch (const Error& refusal) {
    entry.refusal = refusal;
    throw;
  }
  return library;
}

std::shared_ptr<Library> Library::load(const std::filesystem::path& file, const std::string& expected) {
  const std::filesystem::path real = real_path(file);
  return LibraryRegistry::instance().load(file, expected_content(real, file, expected),
                                          is_bundle(real) ? real : "");
}

std::shared_ptr<Library> Library::load_copy(const std::filesystem::path& file, const UniqueFd& copy) {
  return LibraryRegistry::instance().load(file, read_content("/proc/self/fd/" + std::to_string(copy.get())),
                                          "");
}

Snapshot Snapshot::of(const std::filesystem::path& file, const std::string& expected) {
  const std::filesystem::path real = real_path(file);
  Content content = expected_content(real, file, expected);
  Snapshot snapshot{file, std::move(content.identity), UniqueFd()};
  if (is_bundle(real)) return snapshot;
  // For reading only, or the other process would find a file that is open for writing.
  if (const UniqueFd copy = memory_copy(file.filename().string(), content.bytes))
    snapshot.copy.reset(
        ::open(("/proc/self/fd/" + std::to_string(copy.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!snapshot.copy) cannot_load(file.string() + ": no memory for a copy of it: " + errno_text());
  return snapshot;
}

}  // namespace tftpkit::host
