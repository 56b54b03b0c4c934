// Clean names: what a rewrite made is put back into the shape that the contract promises. Text only.
#pragma once

#include <string>
#include <string_view>

namespace tftpkit::file {

struct Cleaned {
  std::string path;
  const char* fault = nullptr;  // why there is none, else nullptr
};

// Backslashes become slashes, empty and "." parts go. A ".." part, a control character or more than 4095
// bytes is a fault: ".." is not resolved, because what it means depends on links that text cannot see.
Cleaned cleaned(std::string_view name);

// Does a part of this clean name begin with a dot?
bool has_hidden_part(std::string_view path) noexcept;

}  // namespace tftpkit::file
