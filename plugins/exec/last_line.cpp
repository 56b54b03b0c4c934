#include "exec/last_line.hpp"

#include <algorithm>

namespace tftpkit::exec {
namespace {

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t begin = std::min(line.find_first_not_of(blank), line.size());
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(blank) + 1);
}

}  // namespace

void LastLine::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, std::min(end, longest - line_.size()));
    if (end == std::string_view::npos) return;
    if (!trimmed(line_).empty()) complete_ = line_;
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

std::string LastLine::text() const {
  const std::string_view open = trimmed(line_);
  return std::string(open.empty() ? trimmed(complete_) : open);
}

}  // namespace tftpkit::exec
