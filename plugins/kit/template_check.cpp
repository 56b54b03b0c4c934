#include "kit/template_check.hpp"

#include "config/nearest.hpp"
#include "config/place.hpp"
#include "observe/escape.hpp"

#include <algorithm>

namespace tftpkit::kit {
namespace {

constexpr std::size_t deepest = 16;  // partials within partials
constexpr std::size_t most_put_in = 1000;

struct Tag {
  char sign = 0;  // 0 for a value, or one of # ^ / > ! & = {
  std::string name;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Tag tag_of(std::string_view inside) {
  inside = trimmed(inside);
  Tag tag;
  if (!inside.empty() && std::string_view("#^/>!&={").find(inside[0]) != std::string_view::npos) {
    tag.sign = inside[0];
    inside.remove_prefix(1);
  }
  tag.name = trimmed(inside);
  return tag;
}

class Check {
 public:
  Check(const TemplateRules& rules, config::Report& report) : rules_(rules), report_(report) {}

  std::string text(std::string_view source, const std::string& where, std::size_t depth) {
    std::string out;
    std::vector<std::pair<std::string, std::string>> open;  // section, its place
    std::size_t at = 0;
    for (std::size_t begin = 0; (begin = source.find("{{", at)) != std::string_view::npos;) {
      out += source.substr(at, begin - at);
      const std::string here = where + config::place_in(source, begin);
      const bool triple = source.substr(begin).starts_with("{{{");
      const std::string_view closing = triple ? "}}}" : "}}";
      const std::size_t end = source.find(closing, begin + 2);
      if (end == std::string_view::npos) {
        report_.add(here, {"this tag is not closed", "end it with \"" + std::string(closing) + "\""});
        return out;
      }
      out += tag(tag_of(source.substr(begin + 2, end - begin - 2)), here, depth, open);
      at = end + closing.size();
    }
    for (const auto& [name, here] : open)
      report_.add(here, {"the section " + config::in_quotes(name) + " has no end",
                         "write {{/" + observe::escaped(name) + "}} behind its last line"});
    out += source.substr(std::min(at, source.size()));
    return out;
  }

 private:
  using Open = std::vector<std::pair<std::string, std::string>>;

  std::string tag(const Tag& tag, const std::string& here, std::size_t depth, Open& open) {
    switch (tag.sign) {
    case '!': return "{{!}}";
    case '>': return partial(tag.name, here, depth);
    case '=': report_.add(here, {"delimiters cannot be changed", "write {{ and }}"}); return {};
    case '/': return section_end(tag.name, here, open);
    case '#':
    case '^': open.emplace_back(tag.name, here); break;
    default: break;
    }
    known(tag.name, here);
    const bool raw = tag.sign == '{' || tag.sign == '&';
    const bool value = raw || tag.sign == 0;
    const bool prepared =
        std::find(rules_.prepared.begin(), rules_.prepared.end(), tag.name) != rules_.prepared.end();
    if (raw && !prepared)
      report_.add(here, {"a value cannot go in without being escaped",
                         "write {{" + observe::escaped(tag.name) + "}}"});
    if (value && prepared) return "{{{" + tag.name + "}}}";
    return "{{" + std::string(tag.sign == 0 ? 0 : 1, tag.sign) + tag.name + "}}";
  }

  std::string section_end(const std::string& name, const std::string& here, Open& open) {
    if (open.empty() || open.back().first != name) {
      const std::string hint =
          open.empty() ? "remove it" : "end {{#" + observe::escaped(open.back().first) + "}} first";
      report_.add(here,
                  {config::in_quotes("{{/" + name + "}}") + " ends a section that is not open here", hint});
      return {};
    }
    open.pop_back();
    return "{{/" + name + "}}";
  }

  std::string partial(const std::string& name, const std::string& here, std::size_t depth) {
    if (endless_) return {};
    endless_ = depth == deepest || ++put_in_ > most_put_in;
    if (endless_) {
      report_.add(here, {"partials put each other in without end", "remove one of them"});
      return {};
    }
    const auto source = rules_.partial ? rules_.partial(name) : std::nullopt;
    if (source) return text(*source, here + ", in " + config::in_quotes(name) + " ", depth + 1);
    report_.add(here, {"there is no template " + config::in_quotes(name) + " to put in here",
                       "make a file of that name with the suffix .mustache, or remove the tag"});
    return {};
  }

  void known(const std::string& name, const std::string& here) {
    std::vector<std::string> names = rules_.names;
    names.insert(names.end(), rules_.prepared.begin(), rules_.prepared.end());
    const bool found = std::any_of(names.begin(), names.end(), [&](const std::string& one) {
      return one.ends_with('.') ? name.size() > one.size() && name.starts_with(one) : name == one;
    });
    if (found || name == ".") return;
    report_.add(here, {"a template knows no " + config::in_quotes(name),
                       config::name_hint(name, names, "the names are")});
  }

  const TemplateRules& rules_;
  config::Report& report_;
  std::size_t put_in_ = 0;
  bool endless_ = false;  // told once: each of them may put in several
};

}  // namespace

std::string checked_template(std::string_view text, const TemplateRules& rules, config::Report& report) {
  return Check(rules, report).text(text, "", 0);
}

}  // namespace tftpkit::kit
