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

// Goes every way that the validator may go. It does so itself without a bound, to the end of the stack.
class Walk {
 public:
  explicit Walk(const Schema& schema) : schema_(schema) {}

  bool ends(const Json& value) {
    most_ = most_steps_for(value);
    node(value, schema_.root(), 0);
    return steps_ <= most_;
  }

 private:
  static constexpr int deepest = 256;  // 64 levels of JSON, each by several steps

  void node(const Json& value, const Json& reference, int depth) {
    if (depth > deepest) steps_ = most_;
    if (++steps_ > most_) return;
    const Json& words = schema_.resolved(reference);
    if (!words.is_object()) return;
    for (const char* key : {"not", "if", "then", "else"})
      one(words, key, [&](const Json& child) { node(value, child, depth + 1); });
    for (const char* key : {"allOf", "anyOf", "oneOf", "dependencies"})
      all(words, key, [&](const Json& child) { node(value, child, depth + 1); });
    if (!value.is_structured()) return;
    for (const auto& [name, inside] : value.items())
      into(inside, name, words, depth + 1);
  }

  void into(const Json& inside, const std::string& name, const Json& words, int depth) {
    const auto enter = [&](const Json& child) { node(inside, child, depth); };
    if (const auto properties = words.find("properties"); properties != words.end())
      one(*properties, name, enter);
    all(words, "patternProperties", enter);
    for (const char* key : {"items", "contains", "additionalItems", "additionalProperties", "propertyNames"})
      one(words, key, enter);
    all(words, "items", enter);
  }

  template <class Visit>
  static void one(const Json& words, const std::string& key, Visit visit) {
    if (const auto found = words.find(key); found != words.end() && found->is_object()) visit(*found);
  }
  // Those of a list or of an object's members. "items" may be either, and is no object of nodes.
  template <class Visit>
  static void all(const Json& words, const std::string& key, Visit visit) {
    const auto found = words.find(key);
    if (found == words.end() || (key == "items" && !found->is_array()) || !found->is_structured()) return;
    for (const Json& child : *found)
      if (child.is_object()) visit(child);
  }

  const Schema& schema_;
  std::size_t steps_ = 0;
  std::size_t most_ = 0;
};

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

bool Schema::can_judge(const Json& value) const {
  return Walk(*this).ends(value);
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

std::size_t most_steps_for(const Json& value) {
  constexpr std::size_t for_nothing = 100'000, for_each = 64;
  std::size_t most = for_nothing;
  std::vector<const Json*> left{&value};
  while (!left.empty()) {
    const Json* at = left.back();
    left.pop_back();
    most += for_each;
    if (!at->is_structured()) continue;
    for (const Json& inside : *at)
      left.push_back(&inside);
  }
  return most;
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
