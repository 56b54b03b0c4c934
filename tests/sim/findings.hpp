// Findings: the properties that did not hold in one world.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tftpkit::sim {

struct Finding {
  std::string property;  // the sentence that is not true
  std::string what;      // who and how
};

class Findings {
 public:
  static constexpr std::size_t most = 20;

  void add(std::string property, std::string what) {
    if (all_.size() < most) all_.push_back({std::move(property), std::move(what)});
  }
  [[nodiscard]] const std::vector<Finding>& all() const noexcept { return all_; }

 private:
  std::vector<Finding> all_;
};

}  // namespace tftpkit::sim
