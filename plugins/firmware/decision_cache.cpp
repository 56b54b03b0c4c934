#include "firmware/decision_cache.hpp"

#include <utility>

namespace tftpkit::firmware {

std::shared_ptr<const Cached> DecisionCache::find(const std::string& key, const State* state,
                                                  Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (const Generation* generation : {&young_, &old_}) {
    const auto at = generation->find(key);
    if (at == generation->end()) continue;
    const bool good = at->second.cached->state.get() == state && now - at->second.made < life_;
    return good ? at->second.cached : nullptr;
  }
  return nullptr;
}

void DecisionCache::put(const std::string& key, std::shared_ptr<const Cached> cached, Clock::time_point now) {
  if (life_.count() == 0) return;
  Generation dropped;  // freed outside of the lock
  const std::lock_guard lock(mutex_);
  if (young_.size() >= most || now - turned_ > life_) {
    dropped = std::exchange(old_, std::exchange(young_, {}));
    turned_ = now;
  }
  young_.insert_or_assign(key, Entry{std::move(cached), now});
}

}  // namespace tftpkit::firmware
