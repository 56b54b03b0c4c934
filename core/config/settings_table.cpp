#include "config/nearest.hpp"
#include "config/schema.hpp"
#include "config/settings.hpp"

#include <algorithm>

namespace tftpkit::config {
namespace {

constexpr int deepest_table = 8;

class Tabling {
 public:
  explicit Tabling(const Schema& schema) : schema_(schema) {}

  std::vector<SettingRow> run() {
    members(schema_.root(), "", 0);
    return std::move(rows_);
  }

 private:
  void members(const Json& node, const std::string& prefix, int depth) {
    if (!node.is_object() || depth > deepest_table || ++steps_ > most_) return;
    if (node.contains("properties")) {
      for (const auto& [name, child] : node["properties"].items()) {
        row(schema_.resolved(child), prefix + name, is_required(node, name), depth);
      }
    }
    for (const Json* further : further_nodes(node))
      members(schema_.resolved(*further), prefix, depth + 1);
  }

  static bool is_required(const Json& node, const std::string& name) {
    if (!node.contains("required") || !node["required"].is_array()) return false;
    return std::find(node["required"].begin(), node["required"].end(), Json(name)) != node["required"].end();
  }

  void row(const Json& node, const std::string& name, bool required, int depth) {
    SettingRow row{name, type_of(node, depth), "", required, ""};
    if (node.is_object() && node.contains("default")) row.fallback = dumped(node["default"]);
    if (node.is_object() && node.contains("description") && node["description"].is_string())
      row.help = node["description"].get<std::string>();
    rows_.push_back(std::move(row));
    members(node, name + "/", depth + 1);
    if (const Json* element = element_node(node, 0))
      members(schema_.resolved(*element), name + "/*/", depth + 1);
  }

  std::string type_of(const Json& node, int depth) {
    if (!node.is_object() || depth > deepest_table) return "any";
    const std::string_view format = format_of(node);
    if (format == "size" || format == "duration" || format == "path" || format == "secret")
      return std::string(format);
    if (node.contains("enum") && node["enum"].is_array()) return "one of " + list_of(node["enum"]);
    const auto types = types_of(node);
    if (types == std::vector<std::string>{"array"}) {
      const Json* element = element_node(node, 0);
      return element == nullptr ? "list" : "list of " + type_of(schema_.resolved(*element), depth + 1);
    }
    std::string text;
    for (const std::string& type : types)
      text += (text.empty() ? "" : " or ") + type;
    return text.empty() ? "any" : text;
  }

  static std::string list_of(const Json& values) {
    std::string list;
    for (const Json& value : values) {
      list += list.empty() ? "" : ", ";
      list += value.is_string() ? value.get<std::string>() : dumped(value);
    }
    return list;
  }

  const Schema& schema_;
  std::vector<SettingRow> rows_;
  std::size_t steps_ = 0;
  const std::size_t most_ = most_steps_for(Json::object());
};

}  // namespace

Checked<std::vector<SettingRow>> schema_table(std::string_view schema_text, std::string_view plugin) {
  if (schema_text.empty()) return std::vector<SettingRow>{};
  std::string broken;
  const auto schema = Schema::from(schema_text, broken);
  if (schema) return Tabling(*schema).run();
  return Problems{{"", "", "the settings schema of the plugin " + in_quotes(plugin) + " is broken: " + broken,
                   "this is the plugin's mistake, not the configuration's"}};
}

}  // namespace tftpkit::config
