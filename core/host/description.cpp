#include "host/description.hpp"

#include "observe/escape.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace tftpkit::host {

namespace {

// Where the struct of ABI 1.0 ends; later minors only append.
constexpr std::uint32_t smallest_descriptor =
    offsetof(tftpkit_plugin, extension) + sizeof(tftpkit_plugin::extension);
constexpr std::uint32_t largest_descriptor = 64 * 1024;
constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_line = 1024;
constexpr std::size_t longest_schema = std::size_t{1} << 20;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(State::invalid, what);
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > longest_name || text.front() < 'a' || text.front() > 'z') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

std::string text_of(const char* value, const char* field, std::size_t limit) {
  if (value == nullptr) return {};
  const std::size_t length = ::strnlen(value, limit + 1);
  if (length > limit)
    refuse("the descriptor's " + std::string(field) + " is longer than " + std::to_string(limit) + " bytes");
  return std::string(value, length);
}

std::string line_of(const char* value, const char* field) {
  std::string line = text_of(value, field, longest_line);
  if (std::any_of(line.begin(), line.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }))
    refuse("the descriptor's " + std::string(field) +
           " contains control characters; one plain line is right");
  return line;
}

std::string version_text(std::uint32_t abi_version) {
  return std::to_string(abi_version >> 16) + "." + std::to_string(abi_version & 0xffffU);
}

void check_frame(const tftpkit_plugin* plugin) {
  if (plugin == nullptr)
    refuse("the entry " TFTPKIT_ENTRY_NAME "() returned NULL; it must return the address of the descriptor");
  const std::uint32_t size = plugin->struct_size;
  if (size < smallest_descriptor)
    refuse("the descriptor's struct_size is " + std::to_string(size) + ", ABI 1.0 has " +
           std::to_string(smallest_descriptor) + "; begin the descriptor with TFTPKIT_PLUGIN_HEAD");
  if (size > largest_descriptor)
    refuse("the descriptor's struct_size is " + std::to_string(size) +
           ", which no version of the ABI can have; begin the descriptor with TFTPKIT_PLUGIN_HEAD");
}

void check_version(const tftpkit_plugin& plugin) {
  const std::uint32_t major = plugin.abi_version >> 16;
  if (major != TFTPKIT_ABI_MAJOR)
    throw Error(State::incompatible, "the plugin speaks ABI " + version_text(plugin.abi_version) +
                                         ", this host speaks " + version_text(TFTPKIT_ABI_VERSION) +
                                         "; build it against this host's <tftpkit/plugin.h>");
  if (plugin.abi_minor_needed > TFTPKIT_ABI_MINOR)
    throw Error(State::incompatible, "the plugin needs a host with ABI " + std::to_string(major) + "." +
                                         std::to_string(plugin.abi_minor_needed) +
                                         " or later, this one has " + version_text(TFTPKIT_ABI_VERSION) +
                                         "; update tftpkit");
}

void check_calls(const tftpkit_plugin& plugin) {
  if (plugin.open_read == nullptr && plugin.open_write == nullptr)
    refuse("the descriptor has neither open_read nor open_write: the plugin can answer nothing");
  if (plugin.open_write != nullptr && plugin.write == nullptr)
    refuse("the descriptor has open_write but no write");
}

std::uint32_t known_execution(std::uint32_t execution, std::string& warning) {
  if (execution == TFTPKIT_EXEC_SERIAL || execution == TFTPKIT_EXEC_PARALLEL ||
      execution == TFTPKIT_EXEC_INLINE)
    return execution;
  warning = "unknown execution " + std::to_string(execution) + " is taken as serial";
  return TFTPKIT_EXEC_SERIAL;
}

}  // namespace

std::string_view text(State state) noexcept {
  switch (state) {
  case State::ok: return "ok";
  case State::disabled: return "disabled";
  case State::quarantined: return "quarantined";
  case State::incompatible: return "incompatible";
  case State::invalid: return "invalid";
  case State::duplicate: return "duplicate";
  case State::unsafe_file: return "unsafe-file";
  case State::cannot_load: return "cannot-load";
  case State::crashed: return "crashed";
  case State::timed_out: return "timed-out";
  case State::not_a_plugin: return "not-a-plugin";
  }
  return "unknown";
}

std::string_view execution_text(std::uint32_t execution) noexcept {
  if (execution == TFTPKIT_EXEC_PARALLEL) return "parallel";
  return execution == TFTPKIT_EXEC_INLINE ? "inline" : "serial";
}

tftpkit_plugin copied(const tftpkit_plugin& descriptor) noexcept {
  tftpkit_plugin plugin{};
  std::memcpy(&plugin, &descriptor, std::min<std::size_t>(descriptor.struct_size, sizeof plugin));
  return plugin;
}

Description described(const tftpkit_plugin* descriptor, std::string_view file_stem) {
  check_frame(descriptor);
  const tftpkit_plugin plugin = copied(*descriptor);
  check_version(plugin);

  Description seen;
  seen.abi_major = plugin.abi_version >> 16;
  seen.abi_minor = plugin.abi_version & 0xffffU;
  seen.abi_minor_needed = plugin.abi_minor_needed;
  seen.name = text_of(plugin.name, "name", longest_line);
  if (!is_name(seen.name))
    refuse(plugin.name == nullptr ? "the descriptor has no name"
                                  : "the descriptor's name \"" + observe::escaped(seen.name, 100) +
                                        "\" is not right: 1 to 64 of a-z, 0-9 and '-', a letter first");
  seen.version = line_of(plugin.version, "version");
  if (seen.version.empty()) refuse("the descriptor has no version");
  seen.summary = line_of(plugin.summary, "summary");
  seen.license = line_of(plugin.license, "license");
  seen.homepage = line_of(plugin.homepage, "homepage");
  seen.settings_schema = text_of(plugin.settings_schema, "settings_schema", longest_schema);
  seen.execution = known_execution(plugin.execution, seen.warning);
  seen.flags = plugin.flags;
  check_calls(plugin);
  seen.reads = plugin.open_read != nullptr;
  seen.writes = plugin.open_write != nullptr;
  if (!file_stem.empty() && file_stem != seen.name && seen.warning.empty())
    seen.warning =
        "the plugin calls itself \"" + seen.name + "\", its file \"" + std::string(file_stem) + ".so\"";
  return seen;
}

}  // namespace tftpkit::host
