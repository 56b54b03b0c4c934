// One loaded generation of a plugin file. The only place that calls the dynamic linker.
// The file in the drop directory is never mapped: a sealed private copy is, so replacing, truncating or
// deleting it harms nothing and a changed file is really loaded anew. Knows nothing of instances.
#pragma once

#include "host/description.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace tftpkit::host {

class Library {
 public:
  // Loads the file, or finds the library that was loaded from the same content before. May block (disk, and
  // the plugin's own initialisers). Throws Error. A file <name>/<name>.so is loaded where it lies, so that
  // private libraries beside it are found by $ORIGIN. With `expected` only content of that identity is
  // loaded: what described itself in another process, and nothing that came to its place since.
  static std::shared_ptr<Library> load(const std::filesystem::path& file, const std::string& expected = {});

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
