// A table of text for a terminal: columns as wide as their widest cell, the last one as it is.
#pragma once

#include <string>
#include <vector>

namespace tftpkit::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> titles) { rows_.push_back(std::move(titles)); }

  // As many cells as there are titles. `note` goes onto a line of its own below the row.
  void add(std::vector<std::string> cells, std::string note = {});

  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> notes_{""};
};

}  // namespace tftpkit::cli
