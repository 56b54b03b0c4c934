// Templates: what comes out, and what is refused with its place and remedy.
#include "kit/template.hpp"

#include <doctest/doctest.h>

using namespace tftpkit;
using kit::Template;
using kit::TemplateRules;
using kit::Values;

namespace {

std::string in_brackets(const std::string& text) {
  return "<" + text + ">";
}

TemplateRules rules() {
  return {in_brackets, {"name", "empty", "list", "list.of", "values."}, {"ready"}, [](std::string_view name) {
            if (name == "head") return std::optional<std::string>("head {{name}}\n");
            if (name == "loop") return std::optional<std::string>("{{>loop}}");
            if (name == "fork") return std::optional<std::string>("{{>fork}}{{>fork}}{{>fork}}");
            return std::optional<std::string>();
          }};
}

std::string rendered(std::string_view text) {
  config::Report report("t");
  const auto made = Template::from(text, rules(), report);
  REQUIRE_MESSAGE(made, config::text(report.take()));
  Values values;
  values.set("name", "n");
  values.set("ready", "a b");
  values.set("values", Values{"x", "X"});
  Values list{Values::type::list};
  list << Values("1") << Values("2");
  values.set("list", list);
  return made->rendered(values);
}

std::string complaint(std::string_view text) {
  config::Report report("t");
  CHECK_FALSE(Template::from(text, rules(), report));
  return config::text(report.take());
}

}  // namespace

TEST_CASE("values are escaped, prepared ones are not, lists and partials work") {
  CHECK(rendered("a {{name}} {{ready}} {{{ready}}}\n") == "a <n> a b a b\n");
  CHECK(rendered("{{values.x}}{{values.y}}") == "<X>");
  CHECK(rendered("{{#list}}\n- {{.}}\n{{/list}}\n{{^empty}}\nnone\n{{/empty}}\n{{! note }}") ==
        "- <1>\n- <2>\nnone\n");
  CHECK(rendered("{{>head}}tail") == "head <n>\ntail");
}

TEST_CASE("what is wrong with a template is said with line and column") {
  CHECK(complaint("a\n  {{nmae}}") ==
        "t: line 2, column 3: a template knows no \"nmae\"; did you mean \"name\"?");
  CHECK(complaint("{{{name}}}").find("without being escaped; write {{name}}") != std::string::npos);
  CHECK(complaint("{{&name}}").find("line 1, column 1") != std::string::npos);
  CHECK(complaint("{{#list}}x").find("\"list\" has no end") != std::string::npos);
  CHECK(complaint("{{#list}}{{/name}}{{/list}}").find("is not open here") != std::string::npos);
  CHECK(complaint("x{{name").find("not closed; end it with \"}}\"") != std::string::npos);
  CHECK(complaint("{{=<% %>=}}").find("delimiters") != std::string::npos);
  CHECK(complaint("{{> missing}}").find("there is no template \"missing\"") != std::string::npos);
  CHECK(complaint("{{>loop}}").find("without end") != std::string::npos);
  CHECK(complaint("{{values.}}").find("knows no") != std::string::npos);
}

TEST_CASE("partials that fork without end are told once, and at once") {
  CHECK(complaint("{{>fork}}").ends_with("partials put each other in without end; remove one of them"));
  CHECK(complaint("{{>fork}}").find('\n') == std::string::npos);
}

TEST_CASE("what a name holds does not come into a complaint as it is") {
  for (const char* odd : {"{{#a\x1b[2J}}x", "{{#a\x1b[2J}}x{{/b}}", "{{{a\x1b[2J}}}", "{{^a\x07}x}}{{y"}) {
    const std::string said = complaint(odd);
    CHECK(said.find("\\x") != std::string::npos);
    CHECK(said.find_first_of("\x1b\x07") == std::string::npos);
  }
}

TEST_CASE("two mistakes are both named") {
  const std::string text = complaint("{{a1}}\n{{b2}}");
  CHECK(text.find("a1") != std::string::npos);
  CHECK(text.find("b2") != std::string::npos);
}
