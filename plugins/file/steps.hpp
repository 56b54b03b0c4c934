// Staying beneath a directory without the kernel's help: one part of the name at a time, links followed by
// hand. Knows descriptors and errno only.
#pragma once

#include "confined.hpp"

#include <string>

namespace tftpkit::file {

// As find_beneath() with Symlinks::beneath (follow_links) or Symlinks::none.
Opened walk_beneath(int root, const std::string& path, bool follow_links);

}  // namespace tftpkit::file
