// The Python modules of this plugin as text, so that one file is all of it. The definition is made by
// embed.py.
#pragma once

#include <vector>

namespace tftpkit::python {

struct Source {
  const char* name;  // "bootstrap", or of the module
  const char* text;
};

// The bootstrap first, then packages before what is in them.
extern const std::vector<Source> sources;

}  // namespace tftpkit::python
