// JSON -> what a rule does.
#pragma once

#include "config/object_reader.hpp"
#include "firmware/rules.hpp"

#include <string>
#include <vector>

namespace tftpkit::firmware {

// What a rule may refer to.
struct Known {
  const std::vector<Channel>* channels = nullptr;
  const Catalogue* catalogue = nullptr;
  std::vector<std::string> names;  // that may stand between braces, but for "image"
  bool files_known = true;         // else a second candidate would never be tried
};

[[nodiscard]] Action read_action(const config::Json& object, const std::string& pointer, const Known& known,
                                 config::Report& report);

// A path with places to fill in. What cannot be used is reported; the pattern is then empty.
[[nodiscard]] Pattern read_pattern(const std::string& text, const std::string& pointer,
                                   const std::vector<std::string>& names, config::Report& report);

}  // namespace tftpkit::firmware
