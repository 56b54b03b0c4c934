#include "table.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::cli {

void Table::add(std::vector<std::string> cells, std::string note) {
  rows_.push_back(std::move(cells));
  notes_.push_back(std::move(note));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows_[r].size(); ++i) {
      line += rows_[r][i];
      if (i + 1 < rows_[r].size()) line.append(widths[i] + 2 - rows_[r][i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
    if (!notes_[r].empty()) text += "  " + notes_[r] + '\n';
  }
  return text;
}

}  // namespace tftpkit::cli
