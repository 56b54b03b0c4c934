#include "repeats.hpp"

namespace tftpkit::pxe {
namespace {

// A transfer that never ends well is forgotten after so long.
constexpr std::chrono::minutes longest_transfer{10};

}  // namespace

void Repeats::seen(const kit::Ip& client, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(client);
  if (found == answers_.end()) return;
  for (auto& [other, answer] : found->second)
    if (other != name) answer.asked_else = true;
}

void Repeats::answered(const kit::Ip& client, const std::string& name, Text text) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  forget_old(now);
  Answer& answer = answers_[client][name];
  const unsigned times = answer.delivered ? 1 : answer.times + 1;  // delivered before: a new order
  answer = {std::move(text), times, false, false, false, now};
}

void Repeats::delivered(const kit::Ip& client, const std::string& name, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(client);
  if (found == answers_.end()) return;
  const auto answer = found->second.find(name);
  if (answer == found->second.end()) return;
  answer->second.delivered = true;
  answer->second.since = now;
}

Repeats::Text Repeats::again(const kit::Ip& client, const std::string& name, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(client);
  if (found == answers_.end()) return nullptr;
  const auto kept = found->second.find(name);
  if (kept == found->second.end()) return nullptr;
  Answer& answer = kept->second;
  const bool second_reading = !answer.repeated && (answer.times < 2 || answer.asked_else);
  if (!answer.delivered || now - answer.since >= within_ || !second_reading) return nullptr;
  answer.repeated = true;
  return answer.text;
}

void Repeats::forget_old(Clock::time_point now) {
  for (auto client = answers_.begin(); client != answers_.end();) {
    std::erase_if(client->second, [&](const auto& kept) {
      const Answer& answer = kept.second;
      return now - answer.since > (answer.delivered ? std::chrono::milliseconds(within_) : longest_transfer);
    });
    client = client->second.empty() ? answers_.erase(client) : std::next(client);
  }
}

}  // namespace tftpkit::pxe
