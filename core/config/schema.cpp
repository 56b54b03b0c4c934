// Without this valijson calls abort() where it could throw; it must stand before its headers.
#define VALIJSON_USE_EXCEPTIONS 1

#include "config/schema.hpp"

#include "config/nearest.hpp"
#include "observe/escape.hpp"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <regex>

namespace tftpkit::config {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

bool is_reference(const Json& node) {
  return node.is_object() && node.contains("$ref");
}

// nullptr: it leads nowhere, or out of this document.
const Json* target_of(const Json& root, const Json& reference) {
  if (!reference.is_string()) return nullptr;
  const auto& text = reference.get_ref<const std::string&>();
  if (text == "#") return &root;
  if (!text.starts_with("#/")) return nullptr;
  try {
    const Json::json_pointer pointer(text.substr(1));
    return root.contains(pointer) ? &root.at(pointer) : nullptr;
  } catch (const nlohmann::json::exception&) {
    return nullptr;
  }
}

// nullptr also for references that lead round in a circle.
const Json* end_of_references(const Json& root, const Json& node) {
  const Json* at = &node;
  for (int i = 0; at != nullptr && is_reference(*at); ++i) {
    at = i < deepest_schema ? target_of(root, (*at)["$ref"]) : nullptr;
  }
  return at;
}

// What the validator would find only when a value comes along, or would not find at all.
class Inspection {
 public:
  explicit Inspection(const Json& root) : root_(root) {}

  // Empty: nothing is wrong.
  std::string complaint() {
    node(root_, "");
    return complaint_;
  }

 private:
  void fail(const std::string& pointer, const std::string& what) {
    if (complaint_.empty()) complaint_ = (pointer.empty() ? "" : "at " + pointer + ": ") + what;
  }

  void node(const Json& value, const std::string& pointer) {
    if (value.is_boolean()) return;
    if (!value.is_object()) return fail(pointer, "expected an object, not " + shown(value));
    if (end_of_references(root_, value) == nullptr) {
      return fail(pointer, "\"$ref\": " + shown(value["$ref"]) + " leads nowhere in this schema");
    }
    types(value, pointer);
    if (const auto found = value.find("pattern"); found != value.end())
      pattern(*found, below(pointer, "pattern"));
    for (const char* key :
         {"items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains"}) {
      const auto found = value.find(key);
      if (found == value.end()) continue;
      if (found->is_array()) {
        nodes(*found, below(pointer, key));
      } else {
        node(*found, below(pointer, key));
      }
    }
    for (const char* key : {"allOf", "anyOf", "oneOf"}) {
      if (const auto found = value.find(key); found != value.end()) nodes(*found, below(pointer, key));
    }
    for (const char* key : {"properties", "patternProperties", "definitions"}) {
      if (const auto found = value.find(key); found != value.end())
        named_nodes(*found, below(pointer, key), key);
    }
  }

  void nodes(const Json& value, const std::string& pointer) {
    if (!value.is_array()) return fail(pointer, "expected an array, not " + shown(value));
    for (std::size_t i = 0; i < value.size(); ++i)
      node(value[i], below(pointer, i));
  }

  void named_nodes(const Json& value, const std::string& pointer, std::string_view key) {
    if (!value.is_object()) return fail(pointer, "expected an object, not " + shown(value));
    for (const auto& [name, child] : value.items()) {
      if (key == "patternProperties") pattern(name, below(pointer, name));
      node(child, below(pointer, name));
    }
  }

  void pattern(const Json& value, const std::string& pointer) {
    try {
      if (!value.is_string()) return fail(pointer, "expected a string, not " + shown(value));
      const std::regex regex(value.get_ref<const std::string&>());
    } catch (const std::regex_error&) {
      fail(pointer, shown(value) + " is not a regular expression");
    }
  }

  void types(const Json& value, const std::string& pointer) {
    static const std::vector<std::string> known = {"string", "integer", "number", "boolean",
                                                   "object", "array",   "null"};
    for (const std::string& type : types_of(value)) {
      if (std::find(known.begin(), known.end(), type) != known.end()) continue;
      fail(below(pointer, "type"),
           in_quotes(type) + " is not a type; " + name_hint(type, known, "there are"));
    }
  }

  const Json& root_;
  std::string complaint_;
};

// valijson 1.0 looks at the format of any value as if it were a string, and throws at arrays and objects. Our
// own formats are none of its business, so it does not get to see them.
void hide_own_formats(nlohmann::json& value) {
  if (value.is_array()) {
    for (auto& element : value)
      hide_own_formats(element);
  }
  if (!value.is_object()) return;
  const auto format = value.find("format");
  if (format != value.end() &&
      (*format == "size" || *format == "duration" || *format == "path" || *format == "secret")) {
    value.erase(format);
  }
  for (auto& [key, member] : value.items()) {
    if (key != "enum" && key != "const" && key != "default") hide_own_formats(member);
  }
}

// "<root>", "[retry]", "[tries]" -> "/retry/tries"
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string& step = context[i];
    const bool bracketed = step.size() >= 2 && step.front() == '[' && step.back() == ']';
    pointer = below(pointer, bracketed ? step.substr(1, step.size() - 2) : step);
  }
  return pointer;
}

}  // namespace

struct Schema::Compiled {
  nlohmann::json document;
  valijson::Schema schema;
};

Schema::Schema(std::unique_ptr<Json> document, std::unique_ptr<Compiled> compiled)
    : document_(std::move(document)), compiled_(std::move(compiled)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

std::optional<Schema> Schema::from(std::string_view text, std::string& broken) {
  Report report("");
  auto document = parse(text, "", report);
  if (!document) {
    broken = config::text(report.take().front());
    return std::nullopt;
  }
  if (!document->is_object()) {
    broken = "expected an object, not " + shown(*document);
    return std::nullopt;
  }
  broken = Inspection(*document).complaint();
  if (!broken.empty()) return std::nullopt;
  auto compiled = std::make_unique<Compiled>();
  try {
    compiled->document = *document;
    hide_own_formats(compiled->document);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(Adapter(compiled->document), compiled->schema);
  } catch (const std::exception& error) {
    broken = observe::escaped(error.what(), 300);
    return std::nullopt;
  }
  return Schema(std::make_unique<Json>(std::move(*document)), std::move(compiled));
}

const Json& Schema::resolved(const Json& node) const {
  const Json* end = end_of_references(*document_, node);
  return end == nullptr ? node : *end;
}

bool Schema::accepts(const Json& value, std::vector<Reason>& reasons) const {
  const nlohmann::json plain = value;
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  try {
    if (validator.validate(compiled_->schema, Adapter(plain), &results)) return true;
  } catch (const std::exception& error) {
    reasons.push_back({"", "the validator gave up: " + observe::escaped(error.what(), 300)});
  }
  valijson::ValidationResults::Error error;
  while (results.popError(error))
    reasons.push_back({pointer_of(error.context), observe::escaped(error.description, 300)});
  return false;
}

const Json* member_node(const Json& node, const std::string& key) {
  if (!node.is_object()) return nullptr;
  if (node.contains("properties") && node["properties"].contains(key)) return &node["properties"][key];
  if (node.contains("patternProperties")) {
    for (const auto& [pattern, child] : node["patternProperties"].items()) {
      if (std::regex_search(key, std::regex(pattern))) return &child;
    }
  }
  const auto rest = node.find("additionalProperties");
  return rest != node.end() && rest->is_object() ? &*rest : nullptr;
}

const Json* element_node(const Json& node, std::size_t index) {
  if (!node.is_object() || !node.contains("items")) return nullptr;
  const Json& items = node["items"];
  if (items.is_object()) return &items;
  if (items.is_array() && index < items.size()) return &items[index];
  const auto rest = node.find("additionalItems");
  return items.is_array() && rest != node.end() && rest->is_object() ? &*rest : nullptr;
}

std::vector<const Json*> further_nodes(const Json& node) {
  std::vector<const Json*> nodes;
  if (!node.is_object() || !node.contains("allOf")) return nodes;
  for (const Json& child : node["allOf"])
    nodes.push_back(&child);
  return nodes;
}

std::string_view format_of(const Json& node) {
  if (!node.is_object()) return {};
  const auto found = node.find("format");
  return found != node.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>())
                                                   : "";
}

std::vector<std::string> types_of(const Json& node) {
  std::vector<std::string> types;
  if (!node.is_object()) return types;
  const auto found = node.find("type");
  if (found == node.end()) return types;
  if (found->is_string()) types.push_back(found->get<std::string>());
  if (found->is_array()) {
    for (const Json& type : *found)
      types.push_back(type.is_string() ? type.get<std::string>() : dumped(type));
  }
  return types;
}

bool allows(const Json& node, std::string_view type) {
  const auto types = types_of(node);
  return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace tftpkit::config
