// A fleet as requests: what each device of an inventory would ask for. For dry runs.
#pragma once

#include "config/problem.hpp"
#include "firmware/rules.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace tftpkit::firmware {

struct Asking {
  const Device* device;
  Question question;
};

// The names come from `names`, else from the device's column "asks", else from "asks" of the rules, and may
// hold places to fill in. A name that needs what is not known of a device is not asked for by it. A problem
// when nobody asks for anything.
[[nodiscard]] config::Checked<std::vector<Asking>> askings_of(const RuleSet& rules,
                                                              const Inventory& inventory,
                                                              const std::vector<std::string>& names,
                                                              std::chrono::system_clock::time_point time);

}  // namespace tftpkit::firmware
