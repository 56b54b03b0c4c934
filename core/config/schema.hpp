// A plugin's JSON Schema (draft 7), parsed and found usable. It gives verdicts and lets others walk it; what
// a verdict means to a person is explain.hpp. Only sources of this room include it.
#pragma once

#include "config/json.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::config {

class Schema {
 public:
  // nullopt: the schema is broken; the reason is in `broken`.
  static std::optional<Schema> from(std::string_view text, std::string& broken);
  Schema(Schema&&) noexcept;
  Schema& operator=(Schema&&) noexcept;
  ~Schema();

  [[nodiscard]] const Json& root() const noexcept { return *document_; }
  // The node itself, or what its "$ref" leads to.
  [[nodiscard]] const Json& resolved(const Json& node) const;

  // Can a verdict about `value` be reached at all? A schema that leads back to itself for the same value, or
  // by many ways for what is in it, has none.
  [[nodiscard]] bool can_judge(const Json& value) const;
  // Does `value` satisfy the whole schema? Only when it can be judged. If not, `reasons` gets the validator's
  // own words, each with a JSON pointer.
  struct Reason {
    std::string pointer;
    std::string description;
  };
  [[nodiscard]] bool accepts(const Json& value, std::vector<Reason>& reasons) const;

 private:
  struct Compiled;
  Schema(std::unique_ptr<Json> document, std::unique_ptr<Compiled> compiled);

  std::unique_ptr<Json> document_;
  std::unique_ptr<Compiled> compiled_;
};

// The node for one member of an object: from "properties", "patternProperties" or "additionalProperties" in
// this order; nullptr: any value will do, or none.
[[nodiscard]] const Json* member_node(const Json& node, const std::string& key);
// The node for one element of an array, or nullptr.
[[nodiscard]] const Json* element_node(const Json& node, std::size_t index);
// The nodes of "allOf", which hold besides the node's own words.
[[nodiscard]] std::vector<const Json*> further_nodes(const Json& node);
// "size", "duration", "path", "secret" or any other word; "" without one.
[[nodiscard]] std::string_view format_of(const Json& node);
// The names in "type"; empty: any type.
[[nodiscard]] std::vector<std::string> types_of(const Json& node);
[[nodiscard]] bool allows(const Json& node, std::string_view type);

// Deeper than this a schema that leads back to itself is not followed, and not in more steps than these for a
// value: each way may fork.
inline constexpr int deepest_schema = 64;
[[nodiscard]] std::size_t most_steps_for(const Json& value);

}  // namespace tftpkit::config
