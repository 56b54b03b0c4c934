// config/load: a right file becomes the right values; a missing one says so.
#include "config/load.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace tftpkit::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

Config right(std::string_view json) {
  auto loaded = load_text(json, "t.json", "/etc/tftpkit");
  REQUIRE_MESSAGE(loaded, text(loaded.problems()));
  return *loaded;
}

}  // namespace

TEST_CASE("an empty object is the defaults") {
  const Config config = right("{}");
  CHECK(config.listen == std::vector<std::string>{"0.0.0.0:69", "[::]:69"});
  CHECK(config.workers == 0);
  CHECK(config.instances.empty());
  CHECK(config.routes.empty());
  CHECK(config.protocol.blksize_max == 65464);
  CHECK(config.protocol.windowsize_max == 64);
  CHECK(config.retry.initial == 500ms);
  CHECK(config.limits.buffer_memory_bytes == 1ULL << 30);
  CHECK(config.explain_to_clients);
  CHECK_FALSE(config.watch);
  CHECK(config.control == "auto");
  CHECK(config.log.level == tftpkit::observe::Level::info);
}

TEST_CASE("every value of a full file arrives") {
  const Config config = right(R"({
    // comments of both kinds
    "listen": ["127.0.0.1:6969", "[::1]:6969"], /* here too */
    "workers": 3, "user": "tftp", "group": "boot",
    "plugin_dirs": ["plugins", "/opt/p"], "plugins": ["./x.so", "../y.so"],
    "watch": false, "disabled_plugins": ["menu"], "control": "run/control", "state_dir": "state",
    "chroot": "jail", "seccomp": true,
    "instances": [
      {"name": "files", "plugin": "file", "settings": {"root": "/srv", "n": [1, 2]}, "execution": "parallel", "max_parallel": 4},
      {"name": "menus", "plugin": "menu"}],
    "routes": [
      {"match": "pxelinux.cfg/*", "clients": ["10.0.0.0/8", "2001:db8::/32"], "to": ["menus", "files"]},
      {"to": "files"}],
    "protocol": {"blksize_max": 1428, "respect_path_mtu": false, "windowsize_max": 16, "rollover": 1},
    "retry": {"initial": "100ms", "min": "5ms", "max": "2s", "tries": 7, "silence": "30s"},
    "limits": {"transfers": 10, "transfers_per_client": 2, "buffer_memory": "64MiB",
               "requests_per_second_per_client": 5, "request_burst_per_client": 6,
               "per_network": [{"transfers": 9}, {"prefix_v4": 16, "prefix_v6": 48, "requests_per_second": 7},
                               {"requests_per_second": 7, "request_burst": 8}]},
    "access": {"allow": ["10.0.0.0/8", "2001:db8::/32"], "deny": "10.66.0.0/16"},
    "answer_timeout": "1s", "read_timeout": "2s", "executor_threads": 4, "executor_threads_per_instance": 2,
    "drain": "0", "explain_to_clients": false,
    "log": {"level": "debug", "format": "json", "file": "log/tftp.log"}})");
  CHECK(config.listen[0] == "127.0.0.1:6969");
  CHECK(config.workers == 3);
  CHECK(config.user == "tftp");
  CHECK(config.group == "boot");
  CHECK(config.plugin_dirs == std::vector<fs::path>{"/etc/tftpkit/plugins", "/opt/p"});
  CHECK(config.plugins == std::vector<fs::path>{"/etc/tftpkit/x.so", "/etc/y.so"});
  CHECK(config.watch == std::optional(false));
  CHECK(config.disabled_plugins == std::vector<std::string>{"menu"});
  CHECK(config.control == "/etc/tftpkit/run/control");
  CHECK(config.chroot == "/etc/tftpkit/jail");
  CHECK(config.seccomp);
  CHECK(config.state_dir == "/etc/tftpkit/state");
  REQUIRE(config.instances.size() == 2);
  CHECK(config.instances[0].name == "files");
  CHECK(config.instances[0].plugin == "file");
  CHECK(config.instances[0].settings == R"({"root":"/srv","n":[1,2]})");
  CHECK(config.instances[0].settings_origin.pointer == "/instances/0/settings");
  CHECK(config.instances[0].settings_origin.base_dir == "/etc/tftpkit");
  CHECK(config.instances[0].execution == Execution::parallel);
  CHECK(config.instances[0].max_parallel == 4);
  CHECK(config.instances[1].settings == "{}");
  CHECK_FALSE(config.instances[1].execution);
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[0].match == std::vector<std::string>{"pxelinux.cfg/*"});
  CHECK(config.routes[0].clients.size() == 2);
  CHECK(config.routes[0].to == std::vector<std::string>{"menus", "files"});
  CHECK(config.routes[1].match.empty());
  CHECK(config.routes[1].to == std::vector<std::string>{"files"});
  CHECK(config.protocol.blksize_max == 1428);
  CHECK_FALSE(config.protocol.respect_path_mtu);
  CHECK(config.protocol.rollover == 1);
  CHECK(config.retry.min == 5ms);
  CHECK(config.retry.tries == 7);
  CHECK(config.limits.transfers_per_client == 2);
  CHECK(config.limits.buffer_memory_bytes == 64ULL << 20);
  REQUIRE(config.limits.per_network.size() == 3);
  CHECK(config.limits.per_network[0].prefix_v4 == 24);
  CHECK(config.limits.per_network[0].prefix_v6 == 64);
  CHECK(config.limits.per_network[0].transfers == 9);
  CHECK(config.limits.per_network[0].requests_per_second == 0);
  CHECK(config.limits.per_network[1].prefix_v4 == 16);
  CHECK(config.limits.per_network[1].prefix_v6 == 48);
  CHECK(config.limits.per_network[1].requests_per_second == 7);
  CHECK(config.limits.per_network[1].request_burst == 14);
  CHECK(config.limits.per_network[2].request_burst == 8);
  CHECK(config.access.allow == std::vector<std::string>{"10.0.0.0/8", "2001:db8::/32"});
  CHECK(config.access.deny == std::vector<std::string>{"10.66.0.0/16"});
  CHECK(config.answer_timeout == 1s);
  CHECK(config.executor_threads_per_instance == 2);
  CHECK(config.drain == 0ms);
  CHECK_FALSE(config.explain_to_clients);
  CHECK(config.log.level == tftpkit::observe::Level::debug);
  CHECK(config.log.format == tftpkit::observe::LogOptions::Format::json);
  CHECK(config.log.file == "/etc/tftpkit/log/tftp.log");
}

TEST_CASE("fewer threads than the default per instance lower that too") {
  CHECK(right(R"({"executor_threads": 3})").executor_threads_per_instance == 3);
}

TEST_CASE("a route may name an instance that is written below it") {
  CHECK(right(R"({"routes": [{"to": "a"}], "instances": [{"name": "a", "plugin": "file"}]})").routes.size() ==
        1);
}

TEST_CASE("paths start at the directory of the file") {
  std::string name = (fs::temp_directory_path() / "tftpkit-config-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const fs::path folder = name;
  std::ofstream(folder / "c.json") << R"({"plugins": ["x.so"]})";
  const auto loaded = load_file(folder / "c.json");
  REQUIRE(loaded);
  CHECK(loaded->plugins[0] == folder / "x.so");
  CHECK(text(load_file(folder / "none.json").problems()) ==
        (folder / "none.json").string() + ": the file cannot be read: No such file or directory");
  CHECK(text(load_file(folder).problems()) == folder.string() + ": the file cannot be read: Is a directory");
  fs::remove_all(folder);
}

TEST_CASE("an instance gets a process of its own, with limits and a sandbox, only when it is told so") {
  const auto loaded = load_text(R"({"instances": [
    {"name": "a", "plugin": "file"},
    {"name": "b", "plugin": "file", "isolation": "process"},
    {"name": "c", "plugin": "file", "isolation": "process", "memory_limit": 0, "call_limit": "5s", "sandbox": true},
    {"name": "d", "plugin": "file", "isolation": "process", "sandbox": {"user": "x", "network": false, "read": "data"}}
  ]})",
                                "", "/etc/tftpkit");
  REQUIRE(loaded);
  const auto& instances = loaded->instances;
  CHECK_FALSE(instances[0].isolation);
  REQUIRE(instances[1].isolation);
  CHECK(instances[1].isolation->memory_bytes == 512ULL << 20);
  CHECK(instances[1].isolation->call_limit == std::chrono::seconds(60));
  CHECK_FALSE(instances[1].isolation->sandbox);
  CHECK(instances[2].isolation->memory_bytes == 0);
  CHECK(instances[2].isolation->call_limit == std::chrono::seconds(5));
  CHECK(instances[2].isolation->sandbox == SandboxConfig{});
  CHECK(instances[3].isolation->sandbox == SandboxConfig{"x", false, {"/etc/tftpkit/data"}});
}

TEST_CASE("settings in a file of their own are one object, with its place for complaints") {
  std::string name = (fs::temp_directory_path() / "tftpkit-config-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const fs::path file = fs::path(name) / "hello.json";
  std::ofstream(file) << R"({"root": "tree" /* beside it */})";
  const auto loaded = load_settings(file);
  REQUIRE(loaded);
  CHECK(loaded->settings == R"({"root":"tree"})");
  CHECK(loaded->origin.file == file.string());
  CHECK(loaded->origin.base_dir == name);
  std::ofstream(file) << "[1]";
  CHECK(text(load_settings(file).problems()).find(file.string() + ": expected an object") == 0);
  std::ofstream(file) << "{";
  CHECK_FALSE(load_settings(file));
  fs::remove_all(name);
}
