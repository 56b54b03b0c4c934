#include "config/normalise.hpp"

#include "config/nearest.hpp"
#include "config/units.hpp"
#include "observe/escape.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace tftpkit::config {
namespace {

constexpr std::size_t largest_secret = 64U << 10U;

std::variant<std::string, Complaint> secret_from(const std::filesystem::path& file) {
  const auto refused = [&](const std::string& why) {
    return Complaint{"the secret in " + in_quotes(file.string()) + " cannot be read: " + why,
                     "\"@FILE\" names a file with the secret, relative to the configuration file"};
  };
  std::array<char, largest_secret + 2> buffer{};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rbe"), &std::fclose);
  if (!in) return refused(std::generic_category().message(errno));
  std::string text(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), in.get()));
  if (std::ferror(in.get()) != 0) return refused(std::generic_category().message(errno));
  if (text.ends_with('\n')) text.pop_back();
  if (text.size() > largest_secret) return refused("it is larger than 64 KiB");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = observe::utf8_length(rest);
    if (length == 0) return refused("it is not UTF-8 text");
    rest.remove_prefix(length);
  }
  return text;
}

class Normalising {
 public:
  Normalising(const Schema& schema, const std::filesystem::path& base_dir, const std::string& prefix,
              Report& report)
      : schema_(schema), base_dir_(base_dir), prefix_(prefix), report_(report) {}

  Normalised run(const Json& settings) {
    made_.settings = settings;
    most_ = most_steps_for(settings);
    value(made_.settings, schema_.root(), "", 0);
    made_.whole = steps_ <= most_;
    made_.judged = made_.settings;
    for (const auto& [pointer, written] : as_written_)
      made_.judged[Json::json_pointer(pointer)] = written;
    return std::move(made_);
  }

 private:
  void value(Json& at, const Json& reference, const std::string& pointer, int depth) {
    if (depth > deepest_schema || ++steps_ > most_) return;
    const Json& node = schema_.resolved(reference);
    if (!node.is_object()) return;
    if (at.is_object()) members(at, node, pointer, depth);
    if (at.is_array()) {
      for (std::size_t i = 0; i < at.size(); ++i) {
        if (const Json* child = element_node(node, i)) value(at[i], *child, below(pointer, i), depth + 1);
      }
    }
    for (const Json* further : further_nodes(node))
      value(at, *further, pointer, depth + 1);
    if (!made_.spoiled.contains(pointer)) format(at, node, pointer);
  }

  void members(Json& object, const Json& node, const std::string& pointer, int depth) {
    if (node.contains("properties")) {
      for (const auto& [key, child] : node["properties"].items())
        fill(object, key, schema_.resolved(child), pointer);
    }
    for (auto& [key, member] : object.items()) {
      if (const Json* child = member_node(node, key)) value(member, *child, below(pointer, key), depth + 1);
    }
  }

  void fill(Json& object, const std::string& key, const Json& node, const std::string& pointer) {
    if (object.contains(key) || !node.is_object() || !node.contains("default")) return;
    object[key] = node["default"];
    made_.defaulted.insert(below(pointer, key));
  }

  void format(Json& at, const Json& node, const std::string& pointer) {
    if (!at.is_string() || as_written_.contains(pointer) || read_secrets_.contains(pointer)) return;
    const std::string_view name = format_of(node);
    const std::string written = at.get<std::string>();
    if (name == "size") quantity(at, node, pointer, size_from(written));
    if (name == "duration") quantity(at, node, pointer, milliseconds_from(written));
    if (name == "path") path(at, written, pointer);
    if (name == "secret") secret(at, written, pointer);
  }

  static std::variant<std::uint64_t, Complaint> milliseconds_from(const std::string& text) {
    auto read = duration_from(text);
    if (auto* complaint = std::get_if<Complaint>(&read)) return std::move(*complaint);
    return static_cast<std::uint64_t>(std::get<std::chrono::milliseconds>(read).count());
  }

  void quantity(Json& at, const Json& node, const std::string& pointer,
                std::variant<std::uint64_t, Complaint> read) {
    if (auto* complaint = std::get_if<Complaint>(&read)) return spoil(pointer, std::move(*complaint));
    if (!allows(node, "integer") && !allows(node, "number")) as_written_[pointer] = at;
    at = std::get<std::uint64_t>(read);
  }

  void path(Json& at, const std::string& written, const std::string& pointer) {
    if (written.empty()) return;
    as_written_[pointer] = at;
    if (written.find('\0') != std::string::npos) return spoil(pointer, {"a path cannot hold a NUL", ""});
    at = (base_dir_ / written).lexically_normal().string();
  }

  void secret(Json& at, const std::string& written, const std::string& pointer) {
    if (!written.starts_with('@')) return;
    if (written.starts_with("@@")) {
      at = written.substr(1);
    } else if (auto read = secret_from(base_dir_ / written.substr(1));
               auto* text = std::get_if<std::string>(&read)) {
      at = std::move(*text);
    } else {
      return spoil(pointer, std::get<Complaint>(std::move(read)));
    }
    read_secrets_.insert(pointer);
  }

  void spoil(const std::string& pointer, Complaint complaint) {
    made_.spoiled.insert(pointer);
    report_.add(prefix_ + pointer, std::move(complaint));
  }

  const Schema& schema_;
  const std::filesystem::path& base_dir_;
  const std::string& prefix_;
  Report& report_;
  Normalised made_;
  std::size_t steps_ = 0;
  std::size_t most_ = 0;
  std::map<std::string, Json> as_written_;
  std::set<std::string> read_secrets_;
};

}  // namespace

Normalised normalise(const Json& settings, const Schema& schema, const std::filesystem::path& base_dir,
                     const std::string& prefix, Report& report) {
  return Normalising(schema, base_dir, prefix, report).run(settings);
}

}  // namespace tftpkit::config
