// The whole configuration as plain values, each with its default. It does not know files, JSON or how a value
// is used: networks and addresses are checked strings, instances are checked names, paths are absolute.
// Documented for users in README.md beside this file.
#pragma once

#include "observe/log.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::config {

using std::chrono::milliseconds;

// Where a piece of JSON came from, so that a complaint about it can name the place.
struct Origin {
  std::string file;                // as the user named it, or ""
  std::string pointer;             // JSON pointer of the piece in that file, e.g. "/instances/0/settings"
  std::filesystem::path base_dir;  // relative paths in it start here; absolute
  bool operator==(const Origin&) const = default;
};

// How a plugin's calls may overlap; an instance may be configured stricter than its plugin asks for.
enum class Execution : std::uint8_t { serial, parallel, on_loop };

// What the process of an isolated instance gives up before it loads the plugin.
struct SandboxConfig {
  std::string user;     // whom to become; "": nobody when the server is root, else stay
  bool network = true;  // may make sockets other than local ones
  std::vector<std::filesystem::path>
      read;  // what may be read beside the system's directories; none: all; absolute
  bool operator==(const SandboxConfig&) const = default;
};

// A process of its own for an instance.
struct IsolationConfig {
  std::uint64_t memory_bytes = 512ULL << 20;  // "memory_limit"; 0: none
  milliseconds call_limit{60'000};            // for one call into the plugin
  std::optional<SandboxConfig> sandbox;
  bool operator==(const IsolationConfig&) const = default;
};

struct InstanceConfig {
  std::string name;             // unique; [A-Za-z0-9][A-Za-z0-9._-]*, at most 63
  std::string plugin;           // name of the plugin, [a-z][a-z0-9-]*
  std::string settings = "{}";  // JSON text of an object, unchecked: see settings.hpp
  Origin settings_origin;
  std::optional<Execution> execution;        // "serial", "parallel", "inline"; none: as the plugin says
  unsigned max_parallel = 0;                 // calls at a time; 0: executor_threads_per_instance
  std::optional<IsolationConfig> isolation;  // none: in the server's own process
  bool operator==(const InstanceConfig&) const = default;
};

// The first route that fits a request names who is asked. A route without `match` or `clients` fits all.
struct RouteConfig {
  std::vector<std::string> match;    // glob.hpp patterns on the clean path, valid; any of them
  std::vector<std::string> clients;  // "10.0.0.0/8", "2001:db8::/32", "192.0.2.7"; any of them
  std::vector<std::string> to;       // names of instances, at least one, asked in this order
};

struct ProtocolConfig {
  std::uint16_t blksize_max = 65464;  // bytes, 8 to 65464 (RFC 2348); a larger request is answered with this
  bool respect_path_mtu = true;       // answer with a blksize that needs no IP fragments
  std::uint16_t windowsize_max = 64;  // blocks, 1 to 65535 (RFC 7440)
  std::uint16_t rollover = 0;         // block number after 65535: 0 or 1, for clients that ask for nothing
};

struct RetryConfig {
  milliseconds initial{500};     // before a round trip was measured
  milliseconds min{20};          // the measured interval never goes below
  milliseconds max{8'000};       // doubling stops here
  unsigned tries = 40;           // sendings of one block before the client counts as gone
  milliseconds silence{60'000};  // without a packet from the client before it counts as gone
};

// What the clients of one network may have together. 0: as much as they like.
struct NetworkLimitsConfig {
  unsigned prefix_v4 = 24;  // bits that are the same within one network
  unsigned prefix_v6 = 64;
  unsigned transfers = 0;            // at a time
  unsigned requests_per_second = 0;  // on average
  unsigned request_burst = 0;        // at once; twice the above unless told
};

// Who may ask at all: those in `allow` (none: everybody) but for those in `deny`.
struct AccessConfig {
  std::vector<std::string> allow;  // as RouteConfig::clients
  std::vector<std::string> deny;
};

struct LimitsConfig {
  unsigned transfers = 20'000;                      // at a time, all workers together
  unsigned transfers_per_client = 1'024;            // at a time, per address
  std::uint64_t buffer_memory_bytes = 1ULL << 30;   // "buffer_memory": all transfers together
  unsigned requests_per_second_per_client = 2'000;  // per address, on average
  unsigned request_burst_per_client = 4'000;        // per address, at once
  std::vector<NetworkLimitsConfig> per_network;     // each of them holds
};

// Which requests have their decision logged step by step; without `paths` or `clients` all.
struct TraceConfig {
  std::vector<std::string> paths;    // as RouteConfig::match
  std::vector<std::string> clients;  // as RouteConfig::clients
};

struct Config {
  std::vector<std::string> listen = {"0.0.0.0:69",
                                     "[::]:69"};   // address:port, [IPv6]:port; port 0: any free one
  unsigned workers = 0;                            // 0: the cores, at most 8
  std::string user;                                // to become after binding; "": stay
  std::string group;                               // "": the user's own
  std::filesystem::path chroot;                    // to stay below; empty: nowhere; absolute
  bool seccomp = false;                            // no system calls that a server never needs
  std::vector<std::filesystem::path> plugin_dirs;  // searched beside the built-in directory; absolute
  std::vector<std::filesystem::path> plugins;      // single .so files; absolute
  std::vector<std::string> disabled_plugins;       // names of plugins that are not used
  std::optional<bool> watch;                       // plugin_dirs for changes; none: only with --plugin-dir
  std::vector<InstanceConfig> instances;           // none: one of each plugin that needs no settings
  std::vector<RouteConfig> routes;                 // none: all instances in their order
  ProtocolConfig protocol;
  RetryConfig retry;
  LimitsConfig limits;
  AccessConfig access;
  milliseconds answer_timeout{10'000};         // for a plugin to answer a request
  milliseconds read_timeout{30'000};           // for a plugin to hand over the next bytes
  unsigned executor_threads = 16;              // for plugin calls that may block
  unsigned executor_threads_per_instance = 8;  // at most executor_threads
  milliseconds drain{10'000};                  // for running transfers after SIGTERM
  bool explain_to_clients = true;              // the plugin's explanation goes into the ERROR packet
  std::optional<TraceConfig> trace;            // none: no request is traced
  std::string control = "auto";                // socket for commands: "auto", "off" or an absolute path
  std::filesystem::path state_dir;             // what outlives the process; empty: serve/places.hpp
  observe::LogOptions log;                     // level, format, file (absolute)
};

}  // namespace tftpkit::config
