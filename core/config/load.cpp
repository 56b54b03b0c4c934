#include "config/load.hpp"

#include "config/clients.hpp"
#include "config/glob.hpp"
#include "config/isolation.hpp"
#include "config/nearest.hpp"
#include "config/network_text.hpp"
#include "config/object_reader.hpp"
#include "config/text_file.hpp"

#include <algorithm>
#include <stdexcept>

namespace tftpkit::config {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds day = 24h;

std::filesystem::path absolute_from(const std::filesystem::path& base_dir, const std::string& text) {
  return (base_dir / text).lexically_normal();
}

bool is_instance_name(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const bool begins_well = !name.empty() && std::string_view("._-").find(name[0]) == std::string_view::npos;
  return begins_well && name.size() <= 63 && name.find_first_not_of(allowed) == std::string::npos;
}

bool is_plugin_name(const std::string& name) {
  const bool begins_well = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
  return begins_well && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

std::optional<Complaint> plugin_name_complaint(const std::string& text) {
  if (is_plugin_name(text)) return std::nullopt;
  const bool is_path = text.find('/') != std::string::npos || text.ends_with(".so");
  const std::string stem = std::filesystem::path(text).stem().string();
  return Complaint{
      in_quotes(text) + " is not a plugin's name",
      is_path ? "list the file in \"plugins\" and write " + in_quotes(stem) + " here"
              : "a plugin's name has lower-case letters, digits and '-' only, as its file without \".so\""};
}

// One reading of one file; the functions follow the file's order.
class Loading {
 public:
  Loading(Report& report, std::string file, std::filesystem::path base_dir)
      : report_(report), file_(std::move(file)), base_dir_(std::move(base_dir)) {}

  Config read(const Json& document);

 private:
  void listen(ObjectReader& top);
  void chroot(ObjectReader& top);
  void paths(ObjectReader& top, const std::string& key, std::vector<std::filesystem::path>& value);
  void disabled_plugins(ObjectReader& top);
  void watch(ObjectReader& top);
  void control(ObjectReader& top);
  void state_dir(ObjectReader& top);
  void instance(const Json& value, const std::string& pointer);
  void instance_name(ObjectReader& reader, InstanceConfig& instance);
  void plugin_name(ObjectReader& reader, InstanceConfig& instance);
  void settings(ObjectReader& reader, InstanceConfig& instance);
  void route(const Json& value, const std::string& pointer);
  void patterns(ObjectReader& reader, const std::string& key, std::vector<std::string>& value);
  void route_to(ObjectReader& reader, RouteConfig& route);
  void protocol(const Json& value, const std::string& pointer);
  void retry(const Json& value, const std::string& pointer);
  void limits(const Json& value, const std::string& pointer);
  void access(const Json& value, const std::string& pointer);
  void executor(ObjectReader& top);
  void log(const Json& value, const std::string& pointer);
  void trace(const Json& value, const std::string& pointer);

  Report& report_;
  std::string file_;
  std::filesystem::path base_dir_;
  Config config_;
};

Config Loading::read(const Json& document) {
  ObjectReader top(document, "", report_);
  const auto section = [&](const std::string& key, auto function) {
    if (const Json* value = top.member(key)) (this->*function)(*value, top.pointer_of(key));
  };
  listen(top);
  top.number("workers", config_.workers, {0U, 256U});
  top.text("user", config_.user);
  top.text("group", config_.group);
  chroot(top);
  top.flag("seccomp", config_.seccomp);
  paths(top, "plugin_dirs", config_.plugin_dirs);
  paths(top, "plugins", config_.plugins);
  disabled_plugins(top);
  watch(top);
  top.array("instances", [&](const Json& value, const std::string& pointer) { instance(value, pointer); });
  top.array("routes", [&](const Json& value, const std::string& pointer) { route(value, pointer); });
  section("protocol", &Loading::protocol);
  section("retry", &Loading::retry);
  section("limits", &Loading::limits);
  section("access", &Loading::access);
  top.duration("answer_timeout", config_.answer_timeout, {10ms, 1h});
  top.duration("read_timeout", config_.read_timeout, {10ms, 1h});
  executor(top);
  top.duration("drain", config_.drain, {0ms, day});
  top.flag("explain_to_clients", config_.explain_to_clients);
  control(top);
  state_dir(top);
  section("log", &Loading::log);
  section("trace", &Loading::trace);
  top.finish();
  return std::move(config_);
}

void Loading::listen(ObjectReader& top) {
  std::vector<std::string> addresses;
  top.texts("listen", [&](const std::string& text, const std::string& pointer) {
    if (auto complaint = listen_complaint(text)) return report_.add(pointer, std::move(*complaint));
    addresses.push_back(text);
  });
  if (const Json* value = top.member("listen"); value != nullptr && value->is_array() && value->empty()) {
    report_.add(top.pointer_of("listen"),
                {"no address to listen on", "leave \"listen\" out for port 69 on all addresses"});
  }
  if (!addresses.empty()) config_.listen = std::move(addresses);
}

void Loading::chroot(ObjectReader& top) {
  std::string text;
  top.text("chroot", text);
  if (text.empty()) return;
  config_.chroot = absolute_from(base_dir_, text);
  if (config_.user.empty())
    report_.add(top.pointer_of("chroot"),
                {"root gets out of every chroot", "set \"user\" too: whom to become in it"});
}

void Loading::paths(ObjectReader& top, const std::string& key, std::vector<std::filesystem::path>& value) {
  top.texts(key, [&](const std::string& text, const std::string& pointer) {
    if (text.empty()) return report_.add(pointer, {"the path is empty", ""});
    value.push_back(absolute_from(base_dir_, text));
  });
}

void Loading::disabled_plugins(ObjectReader& top) {
  top.texts("disabled_plugins", [&](const std::string& text, const std::string& pointer) {
    if (auto complaint = plugin_name_complaint(text)) return report_.add(pointer, std::move(*complaint));
    config_.disabled_plugins.push_back(text);
  });
}

void Loading::watch(ObjectReader& top) {
  if (top.member("watch") == nullptr) return;
  bool watch = false;
  top.flag("watch", watch);
  config_.watch = watch;
}

void Loading::control(ObjectReader& top) {
  top.text("control", config_.control);
  std::string& value = config_.control;
  if (value.empty())
    return report_.add(top.pointer_of("control"),
                       {"the path is empty", "write \"off\" for no control socket"});
  if (value != "auto" && value != "off") value = absolute_from(base_dir_, value).string();
  constexpr std::size_t longest = 107;  // sockaddr_un
  if (value.size() > longest)
    report_.add(top.pointer_of("control"), {"the path of a socket may have at most 107 bytes, this one has " +
                                                std::to_string(value.size()),
                                            "choose a shorter one"});
}

void Loading::state_dir(ObjectReader& top) {
  std::string text;
  top.text("state_dir", text);
  if (!text.empty()) config_.state_dir = absolute_from(base_dir_, text);
}

void Loading::instance(const Json& value, const std::string& pointer) {
  static const std::vector<std::pair<std::string, std::optional<Execution>>> executions = {
      {"serial", Execution::serial}, {"parallel", Execution::parallel}, {"inline", Execution::on_loop}};
  ObjectReader reader(value, pointer, report_);
  InstanceConfig made;
  instance_name(reader, made);
  plugin_name(reader, made);
  settings(reader, made);
  reader.word<std::optional<Execution>>("execution", made.execution, executions);
  reader.number("max_parallel", made.max_parallel, {0U, 1024U});
  made.isolation = read_isolation(reader, base_dir_);
  reader.finish();
  config_.instances.push_back(std::move(made));
}

void Loading::instance_name(ObjectReader& reader, InstanceConfig& instance) {
  if (!reader.require("name", "\"name\": \"files\"")) return;
  reader.text("name", instance.name);
  if (!reader.member("name")->is_string()) return;
  if (!is_instance_name(instance.name)) {
    return report_.add(reader.pointer_of("name"),
                       {in_quotes(instance.name) + " cannot be an instance's name",
                        "use up to 63 letters, digits, '.', '_' and '-', beginning with a letter or digit"});
  }
  for (std::size_t i = 0; i < config_.instances.size(); ++i) {
    if (config_.instances[i].name != instance.name) continue;
    return report_.add(reader.pointer_of("name"),
                       {"there is another instance called " + in_quotes(instance.name) + ", at /instances/" +
                            std::to_string(i),
                        "every instance needs a name of its own"});
  }
}

void Loading::plugin_name(ObjectReader& reader, InstanceConfig& instance) {
  if (!reader.require("plugin", "\"plugin\": \"file\"")) return;
  reader.text("plugin", instance.plugin);
  if (!reader.member("plugin")->is_string()) return;
  if (auto complaint = plugin_name_complaint(instance.plugin))
    report_.add(reader.pointer_of("plugin"), std::move(*complaint));
}

void Loading::settings(ObjectReader& reader, InstanceConfig& instance) {
  instance.settings_origin = {file_, reader.pointer_of("settings"), base_dir_};
  const Json* value = reader.member("settings");
  if (value == nullptr) return;
  if (!value->is_object()) {
    return report_.add(reader.pointer_of("settings"),
                       {"expected an object, not " + shown(*value), "write { ... }"});
  }
  instance.settings = dumped(*value);
}

void Loading::route(const Json& value, const std::string& pointer) {
  ObjectReader reader(value, pointer, report_);
  RouteConfig made;
  patterns(reader, "match", made.match);
  read_networks(reader, "clients", made.clients);
  route_to(reader, made);
  reader.finish();
  config_.routes.push_back(std::move(made));
}

void Loading::patterns(ObjectReader& reader, const std::string& key, std::vector<std::string>& value) {
  reader.texts(key, [&](const std::string& text, const std::string& pointer) {
    if (text.starts_with('/')) {
      return report_.add(pointer, {in_quotes(text) + " never matches: a clean path does not begin with '/'",
                                   "write " + in_quotes(text.substr(1))});
    }
    try {
      value.push_back(Glob(text).pattern());
    } catch (const std::invalid_argument& error) {
      report_.add(pointer, {std::string(error.what()) + " (in " + in_quotes(text) + ")",
                            "write for example \"pxelinux.cfg/*\" or \"**/*.efi\""});
    }
  });
}

void Loading::route_to(ObjectReader& reader, RouteConfig& route) {
  if (!reader.require("to", "\"to\": [\"files\"]")) return;
  std::vector<std::string> names;
  for (const InstanceConfig& instance : config_.instances) {
    if (!instance.name.empty()) names.push_back(instance.name);
  }
  reader.texts("to", [&](const std::string& text, const std::string& pointer) {
    if (std::find(names.begin(), names.end(), text) == names.end()) {
      const std::string hint =
          names.empty() ? "add it to \"instances\"" : name_hint(text, names, "there are");
      return report_.add(pointer, {"no instance is called " + in_quotes(text), hint});
    }
    if (std::find(route.to.begin(), route.to.end(), text) != route.to.end()) {
      return report_.add(
          pointer, {in_quotes(text) + " is there twice", "an instance that declined is not asked again"});
    }
    route.to.push_back(text);
  });
  if (const Json* value = reader.member("to"); value->is_array() && value->empty()) {
    report_.add(reader.pointer_of("to"), {"the route leads nowhere", "name at least one instance"});
  }
}

void Loading::protocol(const Json& value, const std::string& pointer) {
  ObjectReader reader(value, pointer, report_);
  ProtocolConfig& protocol = config_.protocol;
  reader.number<std::uint16_t>("blksize_max", protocol.blksize_max, {8, 65464});
  reader.flag("respect_path_mtu", protocol.respect_path_mtu);
  reader.number<std::uint16_t>("windowsize_max", protocol.windowsize_max, {1, 65535});
  reader.number<std::uint16_t>("rollover", protocol.rollover, {0, 1});
  reader.finish();
}

void Loading::retry(const Json& value, const std::string& pointer) {
  ObjectReader reader(value, pointer, report_);
  RetryConfig& retry = config_.retry;
  reader.duration("initial", retry.initial, {1ms, 255s});
  reader.duration("min", retry.min, {1ms, 255s});
  reader.duration("max", retry.max, {1ms, 255s});
  reader.number("tries", retry.tries, {1U, 10'000U});
  reader.duration("silence", retry.silence, {100ms, day});
  reader.finish();
  if (retry.min > retry.max)
    report_.add(pointer, {"\"min\" is longer than \"max\"", "make \"min\" the shorter one"});
  if (retry.min <= retry.max && (retry.initial < retry.min || retry.initial > retry.max)) {
    report_.add(pointer, {"\"initial\" does not lie between \"min\" and \"max\"", "change one of the three"});
  }
}

void Loading::limits(const Json& value, const std::string& pointer) {
  config_.limits = read_limits(value, pointer, report_);
}

void Loading::access(const Json& value, const std::string& pointer) {
  config_.access = read_access(value, pointer, report_);
}

void Loading::executor(ObjectReader& top) {
  top.number("executor_threads", config_.executor_threads, {1U, 1024U});
  const bool given = top.member("executor_threads_per_instance") != nullptr;
  top.number("executor_threads_per_instance", config_.executor_threads_per_instance, {1U, 1024U});
  if (config_.executor_threads_per_instance <= config_.executor_threads) return;
  if (given) {
    report_.add(
        top.pointer_of("executor_threads_per_instance"),
        {"one instance cannot have more threads than there are",
         "write at most " + std::to_string(config_.executor_threads) + ", or raise \"executor_threads\""});
  }
  config_.executor_threads_per_instance = config_.executor_threads;
}

void Loading::log(const Json& value, const std::string& pointer) {
  using observe::Level;
  using Format = observe::LogOptions::Format;
  static const std::vector<std::pair<std::string, Level>> levels = {
      {"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}};
  static const std::vector<std::pair<std::string, Format>> formats = {
      {"auto", Format::automatic}, {"text", Format::text}, {"json", Format::json}};
  ObjectReader reader(value, pointer, report_);
  reader.word<Level>("level", config_.log.level, levels);
  reader.word<Format>("format", config_.log.format, formats);
  reader.text("file", config_.log.file);
  reader.finish();
  if (!config_.log.file.empty()) config_.log.file = absolute_from(base_dir_, config_.log.file).string();
}

void Loading::trace(const Json& value, const std::string& pointer) {
  ObjectReader reader(value, pointer, report_);
  TraceConfig made;
  patterns(reader, "paths", made.paths);
  read_networks(reader, "clients", made.clients);
  reader.finish();
  config_.trace = std::move(made);
}

}  // namespace

namespace {

Reading read_text(std::string_view json, const std::string& file, const std::filesystem::path& base_dir) {
  Report report(file);
  Reading reading;
  if (const auto document = parse(json, "", report))
    reading.config = Loading(report, file, std::filesystem::absolute(base_dir)).read(*document);
  reading.problems = report.take();
  return reading;
}

Checked<Config> flawless(Reading reading) {
  if (!reading.problems.empty()) return std::move(reading.problems);
  return std::move(reading.config);
}

}  // namespace

Checked<Config> load_text(std::string_view json, const std::string& file,
                          const std::filesystem::path& base_dir) {
  return flawless(read_text(json, file, base_dir));
}

Reading read_file(const std::filesystem::path& file) {
  Report report(file.string());
  const auto text = text_of_file(file, 16U << 20U, report);
  if (!text) return {{}, report.take()};
  return read_text(*text, file.string(), std::filesystem::absolute(file).parent_path());
}

Checked<Config> load_file(const std::filesystem::path& file) {
  return flawless(read_file(file));
}

Checked<SettingsFile> load_settings(const std::filesystem::path& file) {
  Report report(file.string());
  const auto text = text_of_file(file, 16U << 20U, report);
  if (!text) return report.take();
  const auto document = parse(*text, "", report);
  if (document && !document->is_object())
    report.add("", {"expected an object, not " + shown(*document), "write { ... }"});
  if (!report.empty()) return report.take();
  return SettingsFile{dumped(*document),
                      {file.string(), "", std::filesystem::absolute(file).parent_path().lexically_normal()}};
}

}  // namespace tftpkit::config
