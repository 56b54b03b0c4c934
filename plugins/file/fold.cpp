// Case-insensitive search: the exact name of every part first, a directory is read only when that leads
// nowhere.
#include "fold.hpp"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <memory>

namespace tftpkit::file {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::string joined(const std::string& prefix, std::string_view part) {
  std::string path = prefix;
  if (!path.empty()) path += '/';
  return path.append(part);
}

}  // namespace

bool same_folded(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string> FoldedSearch::find(const std::string& path) {
  if (!descend("", path)) return std::nullopt;
  return result_;
}

bool FoldedSearch::descend(const std::string& prefix, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view part = rest.substr(0, slash);
  const std::string_view tail = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);

  const std::string exact = joined(prefix, part);
  if (find_beneath(root_, exact, symlinks_, lookup_).fd && take(exact, tail)) return true;
  for (const std::string& name : other_spellings(prefix, part))
    if (take(joined(prefix, name), tail)) return true;
  return false;
}

bool FoldedSearch::take(const std::string& candidate, std::string_view tail) {
  if (!tail.empty()) return descend(candidate, tail);
  result_ = candidate;
  return true;
}

std::vector<std::string> FoldedSearch::other_spellings(const std::string& directory, std::string_view part) {
  std::vector<std::string> names;
  if (listings_left_-- <= 0) return names;
  const Opened found = find_beneath(root_, directory, symlinks_, lookup_);
  if (!found.fd) return names;
  Opened readable = reopen_(found.fd, O_DIRECTORY);
  if (!readable.fd) return names;
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(readable.fd.get()));
  if (!stream) return names;
  readable.fd.release();  // closedir() closes it
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != part && same_folded(name, part)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  if (names.size() > 1) ambiguous_ = true;
  return names;
}

}  // namespace tftpkit::file
