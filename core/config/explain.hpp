// Why a schema does not accept a value, in words for people. The verdict itself is the validator's; this
// knows the common keywords and says nothing about the others.
#pragma once

#include "config/report.hpp"
#include "config/schema.hpp"

#include <set>
#include <string>

namespace tftpkit::config {

// Reports what is wrong with `value` below `prefix`; passes over the pointers in `known`. Never shows the
// value of a secret.
void explain(const Json& value, const Schema& schema, const std::string& prefix,
             const std::set<std::string>& known, Report& report);

// "a string", "a size such as \"64KiB\"", "a whole number or null": what the node wants, for messages.
[[nodiscard]] std::string wanted(const Json& node);

}  // namespace tftpkit::config
