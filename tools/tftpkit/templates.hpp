// The files of tools/templates, as they were built into the binary; tools/embed.py writes the definition.
#pragma once

#include <span>
#include <string_view>

namespace tftpkit::cli {

struct Template {
  std::string_view path;  // LANG/file, or all/file
  std::string_view content;
};

[[nodiscard]] std::span<const Template> templates() noexcept;

}  // namespace tftpkit::cli
