// Whose code lies at an address: one entry for each library that was mapped, none ever goes. Internal to this
// room.
#pragma once

#include <cstdint>
#include <string>

namespace tftpkit::host {

void add_code_range(std::uintptr_t begin, std::uintptr_t end, const std::string& plugin);

// The plugin's name, or null. For signal handlers too.
const char* plugin_of_code(std::uintptr_t address) noexcept;

}  // namespace tftpkit::host
