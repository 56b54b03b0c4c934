// Checks of the file and of its entry: before any instance.
#include "config/settings.hpp"
#include "conformance/checks.hpp"
#include "conformance/elf_file.hpp"
#include "conformance/process_state.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tftpkit::conformance {

namespace {

const std::string entry_text = TFTPKIT_ENTRY_NAME "()";

ElfFile elf_of(const Subject& subject) {
  try {
    return ElfFile{subject.file};
  } catch (const std::runtime_error& error) {
    throw Fails{error.what(), subject.file.string(), "a shared object that was linked with -shared"};
  }
}

// "a, b, c and 5 more"
std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= shown ? text : text + " and " + std::to_string(names.size() - shown) + " more";
}

// What goes to the standard outputs while this lives, instead of to where they lead.
class Overheard {
 public:
  Overheard() : heard_{::memfd_create("heard", MFD_CLOEXEC)} {
    std::fflush(nullptr);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      before_[fd - 1] = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
      ::dup2(heard_, fd);
    }
  }
  ~Overheard() {
    std::fflush(nullptr);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      ::dup2(before_[fd - 1], fd);
      ::close(before_[fd - 1]);
    }
    ::close(heard_);
  }
  Overheard(const Overheard&) = delete;
  Overheard& operator=(const Overheard&) = delete;

  [[nodiscard]] std::size_t bytes() const {
    std::fflush(nullptr);
    struct stat seen {};
    return ::fstat(heard_, &seen) == 0 ? static_cast<std::size_t>(seen.st_size) : 0;
  }

 private:
  int heard_;
  int before_[2] = {-1, -1};
};

// By the dynamic linker itself and not through room host, which calls the entry at once.
tftpkit_entry mapped_entry(const Subject& subject) {
  subject.note("loading it");
  void* const handle = ::dlopen(std::filesystem::absolute(subject.file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Fails{::dlerror(), "loading", "a shared object that the dynamic linker takes"};
  void* const symbol = ::dlsym(handle, TFTPKIT_ENTRY_NAME);
  if (symbol == nullptr)
    throw Fails{"there is no " + entry_text, subject.file.string(), "TFTPKIT_EXPORT_PLUGIN, once"};
  return reinterpret_cast<tftpkit_entry>(symbol);
}

[[noreturn]] void impure(const std::string& what) {
  throw Fails{
      what, entry_text,
      "return the address of a constant descriptor and do nothing else: what begins, begins in start()"};
}

void compare(const Manners& before, const Manners& after, const char* during) {
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].second != after[i].second) impure(std::string{during} + " changes " + before[i].first);
}

void compare(const Holdings& before, const Holdings& after) {
  if (after.threads > before.threads)
    impure("the entry starts " + std::to_string(after.threads - before.threads) + " thread(s)");
  for (const int fd : after.descriptors)
    if (!before.descriptors.contains(fd))
      impure("the entry opens descriptor " + std::to_string(fd) + ", " + what_is(fd));
  for (const int fd : before.descriptors)
    if (!after.descriptors.contains(fd)) impure("the entry closes descriptor " + std::to_string(fd));
}

}  // namespace

void entry_is_pure(const Subject& subject) {
  const Manners at_first = manners();
  const Overheard overheard;
  const tftpkit_entry entry = mapped_entry(subject);
  compare(at_first, manners(), "loading it");
  const Holdings before = calm_holdings();
  const std::string handlers = signal_handlers();
  subject.note(entry_text);
  static_cast<void>(entry());
  compare(at_first, manners(), "the entry");
  if (const auto now = signal_handlers(); now != handlers)
    impure("the entry changes signal handlers: there are now " + (now.empty() ? "none" : now));
  if (overheard.bytes() > 0)
    impure("the entry, or loading it, writes " + std::to_string(overheard.bytes()) +
           " bytes to the standard output");
  compare(before, holdings());
}

void entry_stable(const Subject& subject) {
  const tftpkit_entry entry = mapped_entry(subject);
  subject.note(entry_text);
  const tftpkit_plugin* const first = entry();
  if (first == nullptr) throw Fails{"NULL", entry_text, "return the address of the descriptor"};
  const auto size = std::min<std::size_t>(first->struct_size, 65536);
  const std::string content{reinterpret_cast<const char*>(first), size};
  const auto ask_again = [&](const std::string& when) {
    const tftpkit_plugin* const next = entry();
    if (next != first)
      throw Fails{"another address " + when, entry_text,
                  "one descriptor, the same for the life of the process"};
    if (std::memcmp(next, content.data(), size) != 0)
      throw Fails{"another content " + when, entry_text, "a constant descriptor"};
  };
  for (const char* when : {"at the second call", "at the third call"})
    ask_again(when);
  std::optional<Fails> failure;
  std::thread([&] {
    try {
      ask_again("on another thread");
    } catch (const Fails& fails) {
      failure = fails;
    }
  }).join();
  if (failure) throw Fails{*failure};
}

void exports_only_entry(const Subject& subject) {
  // What old linkers export of any shared object. Unique symbols are no-gnu-unique's to tell.
  const std::set<std::string> linkers = {"_init", "_fini", "__bss_start", "_edata", "_end"};
  const ElfFile elf = elf_of(subject);
  std::vector<std::string> others;
  bool entry = false;
  for (const auto& symbol : elf.symbols()) {
    if (!symbol.defined || symbol.unique || linkers.contains(symbol.name)) continue;
    if (symbol.name == TFTPKIT_ENTRY_NAME)
      entry = true;
    else
      others.push_back(symbol.name);
  }
  const std::string where = "dynamic symbols of " + subject.file.string();
  if (!entry) throw Fails{"there is no " TFTPKIT_ENTRY_NAME, where, "TFTPKIT_EXPORT_PLUGIN, once"};
  if (!others.empty())
    throw Fails{"it exports also " + list_of(others), where,
                "-fvisibility=hidden, and -Wl,--version-script with { global: " TFTPKIT_ENTRY_NAME
                "; local: *; };"};
}

namespace {

// The file of a needed library: as the dynamic linker finds it, or beside the plugin.
std::filesystem::path library_file(const std::string& name, const ElfFile& asked_by) {
  std::error_code ignored;
  for (const auto& directory : asked_by.search_path())
    if (std::filesystem::exists(directory / name, ignored)) return directory / name;
  void* const handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL);
  link_map* map = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return {};
  return map->l_name;
}

// The names that the libraries of `elf` define, and those that these need in turn.
void collect(const ElfFile& elf, std::set<std::string>& seen, std::set<std::string>& defined) {
  for (const auto& name : elf.needed()) {
    if (!seen.insert(name).second) continue;
    const auto file = library_file(name, elf);
    if (file.empty())
      throw Fails{"it needs the library " + name + ", which is not there", "DT_NEEDED",
                  "install it, or put it beside the plugin with -Wl,-rpath,'$ORIGIN'"};
    const ElfFile library{file};
    for (const auto& symbol : library.symbols())
      if (symbol.defined) defined.insert(symbol.name);
    collect(library, seen, defined);
  }
}

}  // namespace

void no_undefined_symbols(const Subject& subject) {
  const ElfFile elf = elf_of(subject);
  std::set<std::string> libraries;
  std::set<std::string> defined;
  collect(elf, libraries, defined);
  std::vector<std::string> missing;
  for (const auto& symbol : elf.symbols())
    if (!symbol.defined && !symbol.weak && !defined.contains(symbol.name)) missing.push_back(symbol.name);
  if (missing.empty()) return;
  const std::vector<std::string> names(elf.needed().begin(), elf.needed().end());
  throw Fails{"no library that it names has " + list_of(missing),
              "undefined symbols; its libraries: " + (names.empty() ? "none" : list_of(names)),
              "link with -Wl,-z,defs and with the libraries that have them; of the host nothing is linked"};
}

void no_gnu_unique(const Subject& subject) {
  const ElfFile elf = elf_of(subject);
  std::vector<std::string> unique;
  for (const auto& symbol : elf.symbols())
    if (symbol.unique) unique.push_back(symbol.name);
  if (!unique.empty())
    throw Fails{"symbols that are one for the whole process: " + list_of(unique),
                "dynamic symbols of " + subject.file.string(),
                "compile with -fno-gnu-unique, or a new version of the plugin gets the old one's data"};
}

void name_matches_file(const Subject& subject) {
  const std::string name = loaded(subject)->description().name;
  const std::string stem = subject.file.stem().string();
  if (name != stem)
    throw Fails{"the plugin calls itself \"" + name + "\"", "descriptor.name in " + subject.file.string(),
                "call the file " + name + ".so"};
}

void schema_is_valid(const Subject& subject) {
  const auto library = loaded(subject);
  const auto& plugin = library->description();
  if (plugin.settings_schema.empty()) throw Skips{"the plugin has no settings"};
  const auto wrong = [](const config::Problem& problem) {
    throw Fails{problem.what, "descriptor.settings_schema" + problem.pointer,
                "a JSON Schema (draft 7) whose defaults suit it"};
  };
  if (const auto rows = config::schema_table(plugin.settings_schema, plugin.name); !rows)
    wrong(rows.problems().front());
  const config::Origin origin{"", "", std::filesystem::current_path()};
  const auto checked = config::check_settings("{}", plugin.settings_schema, origin, plugin.name);
  if (checked) return;
  for (const auto& problem : checked.problems())
    if (problem.plugins_mistake) wrong(problem);
}

}  // namespace tftpkit::conformance
