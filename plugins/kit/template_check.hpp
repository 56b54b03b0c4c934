// Reads the tags of a template before it is used. Private to template.cpp.
#pragma once

#include "kit/template.hpp"

namespace tftpkit::kit {

// The text with partials put in and with prepared names marked as such; what is wrong goes to the report.
[[nodiscard]] std::string checked_template(std::string_view text, const TemplateRules& rules,
                                           config::Report& report);

}  // namespace tftpkit::kit
