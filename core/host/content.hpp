// The bytes of a plugin file as they were at one moment, and what can be said of them without loading: that
// nobody is still writing them, that they are a whole ELF shared object, and which content it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tftpkit::host {

struct Content {
  std::vector<char> bytes;
  std::string identity;  // a hash of the bytes as hexadecimal text: equal files have equal identities
};

// Throws Error: not_a_plugin, or cannot_load for a file that is being written, changed meanwhile or ends in
// the middle. Who opens the file for writing during the call waits until it is over.
Content read_content(const std::filesystem::path& file);

}  // namespace tftpkit::host
