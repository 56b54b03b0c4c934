// Reading the settings. The host has checked them against the schema; what it cannot know (regular
// expressions) and what a host without schema check would let through is checked here.
#include "settings.hpp"

#include <initializer_list>
#include <unistd.h>
#include <utility>

namespace tftpkit::file {
namespace {

class Reader {
 public:
  Reader(const tftpkit_host& host, std::string at) : host_(host), at_(std::move(at)) {}

  std::optional<std::string> text(const std::string& key) const {
    tftpkit_str value{};
    if (host_.setting(&host_, (at_ + "/" + key).c_str(), &value) == 0) return std::nullopt;
    return std::string(value.ptr, value.len);
  }

  std::optional<std::int64_t> number(const std::string& key) const {
    std::int64_t value = 0;
    if (host_.setting_int(&host_, (at_ + "/" + key).c_str(), &value) == 0) return std::nullopt;
    return value;
  }

  bool flag(const std::string& key, bool unset) const {
    const std::optional<std::int64_t> value = number(key);
    if (!value && text(key)) fail(key, "it has to be true or false");
    return value ? *value != 0 : unset;
  }

  template <typename T>
  T choice(const std::string& key, T unset, std::initializer_list<std::pair<const char*, T>> choices) const {
    const std::optional<std::string> value = text(key);
    if (!value) return unset;
    std::string known;
    for (const auto& [name, meaning] : choices) {
      if (*value == name) return meaning;
      known += known.empty() ? "" : ", ";
      known += name;
    }
    fail(key, "\"" + *value + "\" is not known; choose from: " + known);
  }

  std::size_t count(const std::string& key) const {
    return host_.setting_count(&host_, (at_ + "/" + key).c_str());
  }
  Reader below(const std::string& key) const { return {host_, at_ + "/" + key}; }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    throw SettingsError(at_ + "/" + key + ": " + why);
  }

 private:
  const tftpkit_host& host_;
  std::string at_;
};

bool only_world_readable(const Reader& all) {
  enum class When { when_root, always, never };
  const When when =
      all.choice("require_world_readable", When::when_root,
                 {{"when_root", When::when_root}, {"always", When::always}, {"never", When::never}});
  // Root reads every file, so the permissions of the kernel say nothing about what is meant to be public.
  return when == When::always || (when == When::when_root && ::geteuid() == 0);
}

Rule read_rule(const Reader& all, std::size_t index) {
  const std::string key = "rewrite/" + std::to_string(index);
  const Reader rule = all.below(key);
  RuleText text;
  text.match = rule.text("match").value_or("");
  text.replace = rule.text("replace");
  text.ignore_case = rule.flag("ignore_case", false);
  text.repeat = rule.flag("repeat", false);
  text.invert = rule.flag("invert", false);
  text.then = rule.choice("then", Then::go_on,
                          {{"continue", Then::go_on},
                           {"stop", Then::stop},
                           {"restart", Then::restart},
                           {"refuse", Then::refuse},
                           {"decline", Then::decline}});
  text.message = rule.text("message").value_or("");
  try {
    return Rule(text);
  } catch (const std::invalid_argument& error) {
    throw SettingsError("/" + key + error.what());
  }
}

}  // namespace

Settings read_settings(const tftpkit_host& host) {
  const Reader all(host, "");
  Settings settings;
  settings.root = all.text("root").value_or("");
  if (settings.root.empty())
    all.fail("root", "it is required; give the directory whose files are to be served");
  settings.symlinks = all.choice(
      "symlinks", Symlinks::beneath,
      {{"beneath", Symlinks::beneath}, {"none", Symlinks::none}, {"anywhere", Symlinks::anywhere}});
  settings.case_insensitive = all.flag("case_insensitive", false);
  settings.hidden = all.flag("hidden", false);
  settings.only_world_readable = only_world_readable(all);
  if (const std::optional<std::int64_t> size = all.number("max_size")) {
    if (*size < 0) all.fail("max_size", "a size cannot be negative; leave it out for no limit");
    settings.max_size = static_cast<std::uint64_t>(*size);
  } else if (all.text("max_size")) {
    all.fail("max_size", "it has to be a number of bytes, or a size such as \"64MiB\"");
  }
  for (std::size_t i = 0; i < all.count("per_client"); ++i)
    settings.per_client.push_back(
        all.choice("per_client/" + std::to_string(i), OwnDirectory::by_address,
                   {{"ip", OwnDirectory::by_address}, {"mac", OwnDirectory::by_mac}}));
  settings.per_client_fallback = all.flag("per_client_fallback", true);
  for (std::size_t i = 0; i < all.count("rewrite"); ++i)
    settings.rewrite.push_back(read_rule(all, i));
  return settings;
}

}  // namespace tftpkit::file
