// One loaded generation of a plugin file. The only place that calls the dynamic linker.
// The file in the drop directory is never mapped: a sealed private copy is, so replacing, truncating or
// deleting it harms nothing and a changed file is really loaded anew. Knows nothing of instances.
#pragma once

#include "host/description.hpp"
#include "host/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace tftpkit::host {

// A plugin file as it is now, for another process to load; nothing of it is mapped here.
struct Snapshot {
  std::filesystem::path file;
  std::string identity;  // as Library::identity()
  UniqueFd copy{};       // sealed; none for <name>/<name>.so, which is loaded where it lies

  // Throws Error, also when `expected` is given and the file has another identity.
  static Snapshot of(const std::filesystem::path& file, const std::string& expected = {});
};

class Library {
 public:
  // Loads the file, or finds the library that was loaded from the same content before. May block (disk, and
  // the plugin's own initialisers). Throws Error. A file <name>/<name>.so is loaded where it lies, so that
  // private libraries beside it are found by $ORIGIN. With `expected` only content of that identity is
  // loaded: what described itself in another process, and nothing that came to its place since.
  static std::shared_ptr<Library> load(const std::filesystem::path& file, const std::string& expected = {});
  // The same from the copy that a Snapshot of the file took.
  static std::shared_ptr<Library> load_copy(const std::filesystem::path& file, const UniqueFd& copy);

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() = default;  // stays mapped: threads and thread-local destructors may live on in it

  const std::filesystem::path& file() const noexcept { return file_; }
  const Description& description() const noexcept { return description_; }
  const tftpkit_plugin& plugin() const noexcept { return plugin_; }
  // The content's hash as hexadecimal text: equal files give equal identities.
  const std::string& identity() const noexcept { return identity_; }
  bool in_place() const noexcept { return in_place_; }

 private:
  friend class LibraryRegistry;
  Library() = default;

  std::filesystem::path file_;
  std::string identity_;
  bool in_place_ = false;
  void* handle_ = nullptr;
  Description description_;
  tftpkit_plugin plugin_{};
};

}  // namespace tftpkit::host
