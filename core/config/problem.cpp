#include "config/problem.hpp"

#include "config/place.hpp"
#include "config/report.hpp"
#include "observe/escape.hpp"

#include <algorithm>

namespace tftpkit::config {

std::string text(const Problem& problem) {
  std::string line;
  if (!problem.file.empty()) line += observe::escaped(problem.file) + ": ";
  if (!problem.pointer.empty()) line += observe::escaped(problem.pointer) + ": ";
  line += problem.what;
  if (!problem.hint.empty()) line += "; " + problem.hint;
  return line;
}

std::string text(const Problems& problems) {
  std::string lines;
  for (const Problem& problem : problems) {
    if (!lines.empty()) lines += '\n';
    lines += text(problem);
  }
  return lines;
}

std::string below(std::string_view pointer, std::string_view step) {
  std::string longer(pointer);
  longer += '/';
  for (const char c : step) {
    if (c == '~') {
      longer += "~0";
    } else if (c == '/') {
      longer += "~1";
    } else {
      longer += c;
    }
  }
  return longer;
}

std::string below(std::string_view pointer, std::size_t index) {
  return below(pointer, std::to_string(index));
}

std::string place_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace tftpkit::config
