#include "config/nearest.hpp"

#include "observe/escape.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace tftpkit::config {
namespace {

constexpr std::size_t longest_compared = 64;  // names are short; a long word has no near name
constexpr std::size_t longest_list = 8;

char folded(char c) noexcept {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Optimal string alignment: Levenshtein's distance, with a swap of neighbours as one error.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> names) {
  std::optional<std::string> best;
  if (word.size() > longest_compared) return best;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& name : names) {
    if (name.size() > longest_compared) continue;
    const std::size_t errors = distance(word, name);
    if (errors >= fewest) continue;
    fewest = errors;
    best = name;
  }
  return best;
}

std::string in_quotes(std::string_view text) {
  return '"' + observe::escaped(text, 80) + '"';
}

std::string quoted_list(std::span<const std::string> names, std::string_view last_link) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " " + std::string(last_link) + " " : ", ";
    list += in_quotes(names[i]);
  }
  return list;
}

std::string name_hint(std::string_view word, std::span<const std::string> names, std::string_view there_are) {
  if (const auto name = nearest(word, names)) return "did you mean " + in_quotes(*name) + "?";
  if (names.empty() || names.size() > longest_list) return {};
  return std::string(there_are) + " " + quoted_list(names, "and");
}

}  // namespace tftpkit::config
