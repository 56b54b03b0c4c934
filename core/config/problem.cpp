#include "config/problem.hpp"

namespace tftpkit::config {

std::string text(const Problem& problem) {
  std::string line;
  if (!problem.file.empty()) line += problem.file + ": ";
  if (!problem.pointer.empty()) line += problem.pointer + ": ";
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

}  // namespace tftpkit::config
