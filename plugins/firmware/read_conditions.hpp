// JSON -> the conditions of a rule, and the other small values of a rules file. What is wrong goes to the
// report.
#pragma once

#include "config/object_reader.hpp"
#include "firmware/conditions.hpp"
#include "firmware/rollout.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::firmware {

using config::Json;
using config::ObjectReader;

// A pattern that cannot be used is reported and left out.
[[nodiscard]] std::vector<config::Glob> read_globs(ObjectReader& reader, const std::string& key);
// `key` holds the expression, "ignore_case" and "captures" stand beside it.
[[nodiscard]] std::optional<NameExpression> read_expression(ObjectReader& reader, const std::string& key);
// {"percent": 10, "salt": "nxos-2026", "key": "serial"}: the members of `reader`'s own object.
[[nodiscard]] Share read_share(ObjectReader& reader);
// {"vendor": "cisco", ...}: those of the usual fields that are there.
[[nodiscard]] std::vector<FieldTest> read_fields(ObjectReader& reader);
[[nodiscard]] Conditions read_conditions(const Json& object, const std::string& pointer,
                                         const std::vector<Extractor>& extractors, config::Report& report);

}  // namespace tftpkit::firmware
