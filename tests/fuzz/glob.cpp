// Patterns of routes against paths: the matcher that takes linear time against one that tries everything.
// Input: pattern, "%%" on a line, path.
#include "config/glob.hpp"

#include "input.hpp"
#include "observe/escape.hpp"

#include <optional>
#include <stdexcept>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;

std::optional<config::Glob> glob_from(std::string_view pattern) {
  try {
    return config::Glob(pattern);
  } catch (const std::invalid_argument& error) {
    claim(fuzz::is_plain_line(error.what()) && *error.what() != 0, "what is no pattern has a reason");
    return std::nullopt;
  }
}

bool is_ascii_without_sets(std::string_view text) {
  for (const char c : text)
    if (static_cast<signed char>(c) <= 0 || c == '[' || c == '\\') return false;
  return true;
}

// As README.md of the configuration tells it, by trying: for short texts of ASCII without sets.
class Reference {
 public:
  explicit Reference(std::string_view whole) : whole_(whole) {}

  bool matches(std::string_view pattern, std::string_view path) {
    if (++steps_ > most) return false;
    if (pattern.empty()) return path.empty();
    const bool part_begins = pattern.size() == whole_.size() || *(pattern.data() - 1) == '/';
    if (part_begins && pattern.starts_with("**/")) return parts(pattern.substr(3), path);
    if (pattern.starts_with("**")) return any_number(pattern.substr(2), path, true);
    if (pattern.starts_with("*")) return any_number(pattern.substr(1), path, false);
    if (path.empty()) return false;
    const bool fits = pattern[0] == '?' ? path[0] != '/' : path[0] == pattern[0];
    return fits && matches(pattern.substr(1), path.substr(1));
  }
  [[nodiscard]] bool gave_up() const { return steps_ > most; }

 private:
  static constexpr int most = 20000;

  bool parts(std::string_view rest, std::string_view path) {
    if (matches(rest, path)) return true;
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1))
      if (matches(rest, path.substr(slash + 1))) return true;
    return false;
  }
  bool any_number(std::string_view rest, std::string_view path, bool slashes) {
    for (std::size_t length = 0;; ++length) {
      if (matches(rest, path.substr(length))) return true;
      if (length == path.size() || (!slashes && path[length] == '/')) return false;
    }
  }

  std::string_view whole_;
  int steps_ = 0;
};

std::string quoted(std::string_view path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("\\*?[]").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = observe::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  const auto pattern = parts[0], path = parts[1];
  if (const auto glob = glob_from(pattern)) {
    const bool matched = glob->matches(path);
    if (is_ascii_without_sets(pattern) && is_ascii_without_sets(path)) {
      Reference reference(pattern);
      const bool expected = reference.matches(pattern, path);
      claim(reference.gave_up() || matched == expected, "a pattern matches what its signs say");
    }
  }
  const bool can_be_quoted = !path.empty() && path.size() < 1000 && path.find('\0') == std::string_view::npos;
  if (const auto same = can_be_quoted ? glob_from(quoted(path)) : std::nullopt) {
    claim(is_utf8(path), "a pattern is UTF-8");
    claim(same->matches(path), "a path that is quoted matches itself");
    claim(!same->matches(std::string(path) + "x"), "a path that is quoted matches nothing else");
  }
  return 0;
}
