#include "config/explain.hpp"

#include "config/nearest.hpp"
#include "observe/escape.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <regex>
#include <utility>
#include <vector>

namespace tftpkit::config {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> type_names{
    {{"string", "a string"},
     {"integer", "a whole number"},
     {"number", "a number"},
     {"boolean", "true or false"},
     {"object", "an object"},
     {"array", "an array"},
     {"null", "null"}}};

std::string_view name_of(std::string_view type) {
  for (const auto& [word, name] : type_names) {
    if (word == type) return name;
  }
  return type;
}

bool is_of(const Json& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  return type == "null" && value.is_null();
}

std::vector<std::string> names_in(const Json& list) {
  std::vector<std::string> names;
  for (const Json& name : list)
    names.push_back(name.is_string() ? name.get<std::string>() : dumped(name));
  return names;
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

class Explaining {
 public:
  Explaining(const Schema& schema, const std::string& prefix, const std::set<std::string>& known,
             Report& report)
      : schema_(schema), prefix_(prefix), known_(known), report_(report) {}

  void value(const Json& at, const Json& reference, const std::string& pointer, int depth) {
    if (depth > deepest_schema || known_.contains(pointer)) return;
    const Json& node = schema_.resolved(reference);
    if (!node.is_object()) return;
    const auto types = types_of(node);
    const bool fits =
        types.empty() || std::any_of(types.begin(), types.end(), [&](auto& type) { return is_of(at, type); });
    if (!fits) return add(pointer, "expected " + wanted(node) + ", not " + told(at, node), "");
    choice(at, node, pointer);
    if (at.is_number()) number(at, node, pointer);
    if (at.is_string()) string(at.get_ref<const std::string&>(), node, pointer);
    if (at.is_array()) array(at, node, pointer, depth);
    if (at.is_object()) object(at, node, pointer, depth);
    for (const Json* further : further_nodes(node))
      value(at, *further, pointer, depth + 1);
  }

 private:
  void add(const std::string& pointer, std::string what, std::string hint) {
    report_.add(prefix_ + pointer, {std::move(what), std::move(hint)});
  }

  static std::string told(const Json& at, const Json& node) {
    return format_of(node) == "secret" ? "this one" : shown(at);
  }

  void choice(const Json& at, const Json& node, const std::string& pointer) {
    const bool fixed = node.contains("const");
    if (!fixed && !(node.contains("enum") && node["enum"].is_array())) return;
    const Json allowed = fixed ? Json::array({node["const"]}) : node["enum"];
    if (std::find(allowed.begin(), allowed.end(), at) != allowed.end()) return;
    const auto names = names_in(allowed);
    const auto near = at.is_string() && format_of(node) != "secret"
                          ? nearest(at.get_ref<const std::string&>(), names)
                          : std::nullopt;
    std::string list;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      list += (i == 0 ? "" : i + 1 == allowed.size() ? " or " : ", ") + shown(allowed[i]);
    }
    add(pointer, told(at, node) + " is not allowed here, only " + list,
        near ? "did you mean " + in_quotes(*near) + "?" : "");
  }

  void number(const Json& at, const Json& node, const std::string& pointer) {
    const auto bound = [&](const char* key, auto breaks, const char* words) {
      const auto limit = node.find(key);
      if (limit == node.end() || !limit->is_number() || !breaks(at, *limit)) return;
      add(pointer, told(at, node) + " is out of range", "write " + std::string(words) + " " + dumped(*limit));
    };
    bound(
        "minimum", [](auto& a, auto& b) { return a < b; }, "at least");
    bound(
        "maximum", [](auto& a, auto& b) { return a > b; }, "at most");
    bound(
        "exclusiveMinimum", [](auto& a, auto& b) { return a <= b; }, "more than");
    bound(
        "exclusiveMaximum", [](auto& a, auto& b) { return a >= b; }, "less than");
    bound(
        "multipleOf",
        [](auto& a, auto& b) {
          return std::remainder(a.template get<double>(), b.template get<double>()) != 0;
        },
        "a multiple of");
  }

  void amount(std::size_t count, const Json& node, const std::string& pointer, const char* low,
              const char* high, const std::string& things) {
    const auto limit_of = [&](const char* key) {
      return node.contains(key) && node[key].is_number_unsigned() ? &node[key] : nullptr;
    };
    if (const Json* limit = limit_of(low); limit != nullptr && count < limit->get<std::size_t>()) {
      const bool empty = count == 0 && limit->get<std::size_t>() == 1;
      add(pointer, empty ? "it is empty" : std::to_string(count) + " " + things + " are too few",
          "write at least " + dumped(*limit));
    }
    if (const Json* limit = limit_of(high); limit != nullptr && count > limit->get<std::size_t>()) {
      add(pointer, std::to_string(count) + " " + things + " are too many", "write at most " + dumped(*limit));
    }
  }

  void string(const std::string& text, const Json& node, const std::string& pointer) {
    amount(characters_in(text), node, pointer, "minLength", "maxLength", "characters");
    if (!node.contains("pattern") || std::regex_search(text, std::regex(node["pattern"].get<std::string>())))
      return;
    add(pointer, told(text, node) + " does not match the pattern " + shown(node["pattern"]), help_of(node));
  }

  void array(const Json& at, const Json& node, const std::string& pointer, int depth) {
    amount(at.size(), node, pointer, "minItems", "maxItems", "elements");
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (const Json* child = element_node(node, i)) value(at[i], *child, below(pointer, i), depth + 1);
      const bool unique = node.contains("uniqueItems") && node["uniqueItems"] == true;
      const auto here = at.begin() + static_cast<std::ptrdiff_t>(i);
      if (unique && std::find(at.begin(), here, at[i]) != here)
        add(below(pointer, i), shown(at[i]) + " is there twice", "");
    }
  }

  void object(const Json& at, const Json& node, const std::string& pointer, int depth) {
    amount(at.size(), node, pointer, "minProperties", "maxProperties", "members");
    if (node.contains("required") && node["required"].is_array()) {
      for (const std::string& name : names_in(node["required"]))
        missing(at, node, pointer, name);
    }
    const bool closed = node.contains("additionalProperties") && node["additionalProperties"] == false;
    for (const auto& [key, member] : at.items()) {
      if (const Json* child = member_node(node, key)) {
        value(member, *child, below(pointer, key), depth + 1);
      } else if (closed) {
        unknown(node, pointer, key);
      }
    }
  }

  void missing(const Json& at, const Json& node, const std::string& pointer, const std::string& name) {
    if (at.contains(name)) return;
    const Json* child = member_node(node, name);
    std::string hint;
    if (child != nullptr) {
      const Json& meant = schema_.resolved(*child);
      hint = "it is " + wanted(meant);
      if (const std::string help = help_of(meant); !help.empty()) hint += ": " + help;
    }
    add(pointer, in_quotes(name) + " is missing", hint);
  }

  void unknown(const Json& node, const std::string& pointer, const std::string& key) {
    std::vector<std::string> names;
    if (node.contains("properties")) {
      for (const auto& [name, child] : node["properties"].items())
        names.push_back(name);
    }
    add(below(pointer, key), "unknown setting " + in_quotes(key), name_hint(key, names, "there are"));
  }

  static std::string help_of(const Json& node) {
    const auto found = node.find("description");
    return found != node.end() && found->is_string()
               ? observe::escaped(found->get_ref<const std::string&>(), 200)
               : "";
  }

  const Schema& schema_;
  const std::string& prefix_;
  const std::set<std::string>& known_;
  Report& report_;
};

}  // namespace

std::string wanted(const Json& node) {
  const std::string_view format = format_of(node);
  if (format == "size") return "a size such as \"64KiB\" or \"1GiB\"";
  if (format == "duration") return "a duration such as \"250ms\" or \"3s\"";
  if (format == "path") return "a path in quotes";
  if (format == "secret") return "a secret or \"@FILE\"";
  const auto types = types_of(node);
  if (types.empty()) return "a value";
  std::string list;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0) list += i + 1 == types.size() ? " or " : ", ";
    list += name_of(types[i]);
  }
  return list;
}

void explain(const Json& value, const Schema& schema, const std::string& prefix,
             const std::set<std::string>& known, Report& report) {
  Explaining(schema, prefix, known, report).value(value, schema.root(), "", 0);
}

}  // namespace tftpkit::config
