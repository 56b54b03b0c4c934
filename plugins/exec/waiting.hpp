// Requests that wait for their turn, in the order in which they came.
#pragma once

#include "exec/job.hpp"

#include <deque>
#include <string>

namespace tftpkit::exec {

class Waiting {
 public:
  void add(Job job) { jobs_.push_back(std::move(job)); }
  [[nodiscard]] bool empty() const noexcept { return jobs_.empty(); }
  [[nodiscard]] Job next();
  // Answers those whose clients have gone.
  void forget_cancelled();
  // Answers all of them with the same failure.
  void refuse_all(const std::string& why);

 private:
  std::deque<Job> jobs_;
};

[[nodiscard]] Answer client_is_gone();

}  // namespace tftpkit::exec
