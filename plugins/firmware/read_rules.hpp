// Rules files in, a set of rules out, or everything that is wrong with them. The format is told in README.md.
#pragma once

#include "config/problem.hpp"
#include "firmware/rules.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tftpkit::firmware {

// What the rules may refer to beyond themselves.
struct Surroundings {
  std::vector<std::string> columns;  // of the inventory, without a meaning of their own
  bool files_known = true;           // can it be told which files exist?
};

// `files` gets all files that were opened or looked for, also when something is wrong with them.
[[nodiscard]] config::Checked<std::shared_ptr<const RuleSet>>
read_rules(const std::filesystem::path& file, const Surroundings& surroundings,
           std::vector<std::filesystem::path>* files = nullptr);

}  // namespace tftpkit::firmware
