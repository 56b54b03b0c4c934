// "chroot": from then on everything is looked up below one directory. It has to hold all that a server needs
// later: its configuration, plugins and their libraries, what they serve, and /proc. Knows no configuration.
#pragma once

#include <filesystem>
#include <string_view>

namespace tftpkit::serve {

// How `path` is called once `jail` is the root. Throws std::runtime_error when it lies elsewhere or does not
// exist; `what` says to people what it is: "the configuration".
[[nodiscard]] std::filesystem::path seen_from(const std::filesystem::path& jail,
                                              const std::filesystem::path& path, std::string_view what);

// For good, as long as the process is not root any more afterwards. Throws std::runtime_error that says what
// is missing: the right to do so, the directory, its safety, /proc in it.
void enter_jail(const std::filesystem::path& jail);

}  // namespace tftpkit::serve
