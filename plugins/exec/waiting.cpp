#include "exec/waiting.hpp"

#include <algorithm>

namespace tftpkit::exec {

Job Waiting::next() {
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void Waiting::forget_cancelled() {
  const auto is_wanted = [](const Job& job) { return !job.cancelled(); };
  const auto gone = std::stable_partition(jobs_.begin(), jobs_.end(), is_wanted);
  for (auto job = gone; job != jobs_.end(); ++job)
    job->answer(client_is_gone());
  jobs_.erase(gone, jobs_.end());
}

void Waiting::refuse_all(const std::string& why) {
  for (Job& job : jobs_)
    job.answer(error(Status::unavailable, why));
  jobs_.clear();
}

Answer client_is_gone() {
  return error(Status::cancelled, "the client is gone");
}

}  // namespace tftpkit::exec
