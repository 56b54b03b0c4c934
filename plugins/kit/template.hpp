// Text templates in the mustache language, made safe: every value is escaped for the target's syntax, and a
// template that names something unknown is refused when it is loaded instead of coming out with a hole.
// Rendering is from memory alone and works on many threads at once.
//   {{name}} a value    {{#name}} .. {{/name}} for each, or when there is one    {{^name}} .. {{/name}} when
//   not
//   {{! note }}         {{> other}} another template, put in as text
#pragma once

#include "config/report.hpp"

#include <functional>
#include <kainjow/mustache.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::kit {

// What a template is filled with: strings, booleans, lists, objects.
using Values = kainjow::mustache::data;

struct TemplateRules {
  // Makes of any text one that stays one value in the target's syntax.
  std::string (*escape)(const std::string& text) = nullptr;
  // Names that may be used; "values." allows every name that begins so.
  std::vector<std::string> names{};
  // Names whose text is in the target's syntax already, put together by code that has escaped its parts.
  std::vector<std::string> prepared{};
  // The text of {{> name}}; may be empty.
  std::function<std::optional<std::string>(std::string_view name)> partial{};
};

class Template {
 public:
  // nullopt: what is wrong was reported, each with its line and column.
  [[nodiscard]] static std::optional<Template> from(std::string_view text, const TemplateRules& rules,
                                                    config::Report& report);

  [[nodiscard]] std::string rendered(const Values& values) const;

 private:
  Template(const std::string& text, const TemplateRules& rules);

  // render() is not const, but changes the object for lambdas and partials only, and there are none.
  mutable kainjow::mustache::mustache mustache_;
};

}  // namespace tftpkit::kit
