// The file name of a request becomes one clean relative path, or the reason why not.
// Purely lexical: what exists, and what a symbolic link does, is the business of the plugin that serves it.
#pragma once

#include "wire/error_code.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tftpkit::wire {

// The path has the form "a/b/c": valid UTF-8, no control characters, no "." or "..", no leading, doubled or
// last slash. Backslashes count as slashes (Windows boot files) and 0xff bytes at the end are dropped (old
// Intel UNDI ROMs). Reject: 1 for text that cannot be a name, 2 for a path that leaves the root or names a
// directory.
std::variant<std::string, Reject> clean_path(std::string_view filename);

}  // namespace tftpkit::wire
