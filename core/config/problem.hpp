// What is wrong with a configuration, in values: where, what, and what would be right. Nothing here knows
// JSON.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tftpkit::config {

struct Problem {
  std::string file;              // as the user named it; "" for text that came from the command line
  std::string pointer;           // JSON pointer (RFC 6901) or "line 3, column 7"; "" for the whole document
  std::string what;              // e.g. no instance is called "fils"; foreign text in it is escaped
  std::string hint;              // what would be right, e.g. did you mean "files"?; may be empty
  bool plugins_mistake = false;  // in the plugin's schema, not in what the user wrote
};

using Problems = std::vector<Problem>;

// `file: pointer: what; hint`, on one line and without control characters.
[[nodiscard]] std::string text(const Problem& problem);
// All of them, one a line, without a newline at the end.
[[nodiscard]] std::string text(const Problems& problems);

// A value, or why there is none. Never both.
template <class T>
class Checked {
 public:
  Checked(T value) : value_(std::move(value)), ok_(true) {}
  Checked(Problems problems) : problems_(std::move(problems)) {}

  [[nodiscard]] explicit operator bool() const noexcept { return ok_; }
  [[nodiscard]] T& operator*() noexcept { return value_; }
  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] T* operator->() noexcept { return &value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] const Problems& problems() const noexcept { return problems_; }

 private:
  T value_{};
  Problems problems_;
  bool ok_ = false;
};

}  // namespace tftpkit::config
