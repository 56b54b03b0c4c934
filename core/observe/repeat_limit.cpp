#include "observe/repeat_limit.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::observe {

RepeatLimit::RepeatLimit(std::uint32_t allowed, std::chrono::milliseconds window, std::size_t keys)
    : allowed_(allowed), window_(window), keys_(keys) {}

bool RepeatLimit::admits(std::string_view key, Time now) {
  end_windows(now);
  Run& run = run_of(key, now);
  if (++run.lines <= allowed_) return true;
  deadline_ = std::min(deadline_.value_or(run.ends), run.ends);
  return false;
}

std::vector<RepeatLimit::Swallowed> RepeatLimit::next_swallowed(Time now) {
  end_windows(now);
  if (!deadline_ || *deadline_ > now) return std::exchange(ended_, {});
  deadline_.reset();
  for (const auto& [key, run] : runs_) {
    if (run.lines > allowed_) deadline_ = std::min(deadline_.value_or(run.ends), run.ends);
  }
  return std::exchange(ended_, {});
}

RepeatLimit::Run& RepeatLimit::run_of(std::string_view key, Time now) {
  auto found = runs_.find(key);
  if (found == runs_.end() && runs_.size() >= keys_) found = runs_.find(std::string_view());
  if (found != runs_.end()) return found->second;
  const std::string_view kept = runs_.size() >= keys_ ? std::string_view() : key;
  first_end_ = std::min(first_end_, now + window_);
  return runs_.emplace(kept, Run{now + window_, 0}).first->second;
}

void RepeatLimit::end_windows(Time now) {
  if (now < first_end_) return;
  first_end_ = Time::max();
  for (auto run = runs_.begin(); run != runs_.end();) {
    if (run->second.ends > now) {
      first_end_ = std::min(first_end_, run->second.ends);
      ++run;
      continue;
    }
    if (run->second.lines > allowed_) ended_.push_back({run->first, run->second.lines - allowed_});
    run = runs_.erase(run);
  }
}

}  // namespace tftpkit::observe
