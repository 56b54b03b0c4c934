// Clean names, part by part.
#include "clean.hpp"

#include <climits>

namespace tftpkit::file {

Cleaned cleaned(std::string_view name) {
  std::string path;
  std::size_t begin = 0;
  for (std::size_t end = 0; end <= name.size(); ++end) {
    const char c = end < name.size() ? name[end] : '/';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return {"", "it holds a control character"};
    if (c != '/' && c != '\\') continue;
    const std::string_view part = name.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return {"", "it holds a \"..\" part"};
    if (!path.empty()) path += '/';
    path += part;
  }
  if (path.size() >= PATH_MAX) return {"", "it is longer than 4095 bytes"};
  return {std::move(path), nullptr};
}

bool has_hidden_part(std::string_view path) noexcept {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

}  // namespace tftpkit::file
