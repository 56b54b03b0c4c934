// The last line of what a program says, however much that is.
#pragma once

#include <string>
#include <string_view>

namespace tftpkit::exec {

class LastLine {
 public:
  static constexpr std::size_t longest = 500;  // bytes that are kept of a line

  void add(std::string_view bytes);
  // The last line with something in it, also one without its newline; "" when there was none.
  [[nodiscard]] std::string text() const;

 private:
  std::string line_;
  std::string complete_;
};

}  // namespace tftpkit::exec
