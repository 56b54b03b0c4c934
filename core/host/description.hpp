// What a plugin says about itself, copied out of its descriptor and checked field by field,
// and the closed set of states that a dropped file can be in.
// Knows nothing of files or of loading.
#pragma once

#include <tftpkit/plugin.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tftpkit::host {

enum class State {
  ok,
  disabled,      // switched off by the operator
  quarantined,   // taken out of service after faults
  incompatible,  // another major version, or needs a newer minor
  invalid,       // its descriptor breaks the contract
  duplicate,     // another file with the same plugin name came first
  unsafe_file,   // others could change the file or its directory
  cannot_load,   // the dynamic linker refused it
  crashed,       // died while describing itself
  timed_out,     // did not end describing itself
  not_a_plugin,  // no ELF shared object, or no tftpkit entry
};

// "ok", "unsafe-file", "not-a-plugin" ...
std::string_view text(State state) noexcept;

// Why a file cannot be used: what() says what is wrong, with which file, and what would be right.
class Error : public std::runtime_error {
 public:
  Error(State state, const std::string& what) : std::runtime_error(what), state_(state) {}
  State state() const noexcept { return state_; }

 private:
  State state_;
};

struct Description {
  std::string name;
  std::string version;
  std::string summary;  // empty when not given, as the next three
  std::string license;
  std::string homepage;
  std::string settings_schema;  // JSON Schema as text; empty: no settings
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor = 0;
  std::uint32_t abi_minor_needed = 0;
  std::uint32_t execution = 0;  // TFTPKIT_EXEC_*; an unknown value became SERIAL
  std::uint32_t flags = 0;      // TFTPKIT_PLUGIN_*
  bool reads = false;
  bool writes = false;
  std::string warning;  // not wrong, but worth telling; mostly empty
};

// "serial", "parallel", "inline"
std::string_view execution_text(std::uint32_t execution) noexcept;

// A descriptor of any minor version as this build's struct; what it does not reach is zero.
// Reads min(struct_size, our size) bytes.
tftpkit_plugin copied(const tftpkit_plugin& descriptor) noexcept;

// Checks a descriptor (which may be null). `file_stem` is the file's name without ".so", or empty: another
// name than the plugin's own gives a warning. Throws Error with invalid or incompatible.
Description described(const tftpkit_plugin* descriptor, std::string_view file_stem);

}  // namespace tftpkit::host
