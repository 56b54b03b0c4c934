#include "kit/template.hpp"

#include "kit/template_check.hpp"
#include "observe/escape.hpp"

namespace tftpkit::kit {

std::optional<Template> Template::from(std::string_view text, const TemplateRules& rules,
                                       config::Report& report) {
  const std::size_t before = report.size();
  const std::string checked = checked_template(text, rules, report);
  if (report.size() != before) return std::nullopt;
  Template made(checked, rules);
  if (made.mustache_.is_valid()) return made;
  report.add("", {"this is not a template: " + observe::escaped(made.mustache_.error_message()), ""});
  return std::nullopt;
}

Template::Template(const std::string& text, const TemplateRules& rules) : mustache_(text) {
  mustache_.set_custom_escape(rules.escape);
}

std::string Template::rendered(const Values& values) const {
  return mustache_.render(values);
}

}  // namespace tftpkit::kit
