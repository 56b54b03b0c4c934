// Collects problems of one file while it is read, so that all are found in one go.
#pragma once

#include "config/problem.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace tftpkit::config {

// What is wrong, and what would be right.
struct Complaint {
  std::string what;
  std::string hint;
};

class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void add(std::string pointer, Complaint complaint) {
    problems_.push_back({file_, std::move(pointer), std::move(complaint.what), std::move(complaint.hint)});
  }
  [[nodiscard]] bool empty() const noexcept { return problems_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return problems_.size(); }
  [[nodiscard]] Problems take() noexcept { return std::move(problems_); }

 private:
  std::string file_;
  Problems problems_;
};

// `pointer` and one step more, with "~" and "/" in the step escaped (RFC 6901, section 3).
[[nodiscard]] std::string below(std::string_view pointer, std::string_view step);
[[nodiscard]] std::string below(std::string_view pointer, std::size_t index);

}  // namespace tftpkit::config
