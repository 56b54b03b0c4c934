// Cleaning of file names.
#include "wire/path.hpp"

#include "wire/utf8.hpp"

#include <vector>

namespace tftpkit::wire {
namespace {

std::string_view without_undi_tail(std::string_view name) noexcept {
  while (!name.empty() && name.back() == '\xff')
    name.remove_suffix(1);
  return name;
}

// nullopt-like: false when ".." climbs above the root.
bool collect_parts(std::string_view name, std::vector<std::string_view>& parts) {
  while (!name.empty()) {
    const auto end = name.find_first_of("/\\");
    const auto part = name.substr(0, end);
    name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else {
      if (parts.empty()) return false;
      parts.pop_back();
    }
  }
  return true;
}

std::string joined(const std::vector<std::string_view>& parts) {
  std::string path;
  for (const auto part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

}  // namespace

std::variant<std::string, Reject> clean_path(std::string_view filename) {
  const auto name = without_undi_tail(filename);
  switch (check_text(name)) {
  case TextFlaw::none: break;
  case TextFlaw::not_utf8: return Reject{ErrorCode::file_not_found, "the file name is not valid UTF-8"};
  case TextFlaw::control: return Reject{ErrorCode::file_not_found, "the file name holds a control character"};
  }
  std::vector<std::string_view> parts;
  if (!collect_parts(name, parts))
    return Reject{ErrorCode::access_violation, "the path leaves the served tree by \"..\""};
  if (parts.empty()) return Reject{ErrorCode::access_violation, "the path names a directory, not a file"};
  return joined(parts);
}

}  // namespace tftpkit::wire
