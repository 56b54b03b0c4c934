// PXELINUX reads its configuration twice: first itself, then its menu program. Both have to see the same,
// also when the first reading has used up a one-shot boot. Keeps what was answered for some seconds.
// Thread-safe.
#pragma once

#include "kit/ip.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tftpkit::pxe {

class Repeats {
 public:
  using Clock = std::chrono::steady_clock;
  using Text = std::shared_ptr<const std::string>;

  explicit Repeats(std::chrono::milliseconds within) : within_(within) {}

  // Every request of a client is told, so that a second reading can be told from a second boot.
  void seen(const kit::Ip& client, std::string_view name);
  // This was answered to a request that may use up a one-shot boot; and its transfer has ended well.
  void answered(const kit::Ip& client, const std::string& name, Text text);
  void delivered(const kit::Ip& client, const std::string& name, Clock::time_point now = Clock::now());

  // What a second reading has to see again, or null. It is one, and the only one, when the name was asked for
  // only once so far, or when the client has asked for something else since (its menu program).
  [[nodiscard]] Text again(const kit::Ip& client, const std::string& name,
                           Clock::time_point now = Clock::now());

 private:
  struct Answer {
    Text text;
    unsigned times = 0;
    bool delivered = false;
    bool asked_else = false;
    bool repeated = false;
    Clock::time_point since{};
  };
  void forget_old(Clock::time_point now);

  std::chrono::milliseconds within_;
  std::mutex mutex_;
  std::map<kit::Ip, std::map<std::string, Answer, std::less<>>> answers_;
};

}  // namespace tftpkit::pxe
