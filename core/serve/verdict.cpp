#include "serve/verdict.hpp"

namespace tftpkit::serve {

Verdict verdict_of(transfer::Outcome outcome) noexcept {
  using transfer::Outcome;
  const std::string_view words = transfer::words(outcome);
  switch (outcome) {
  case Outcome::delivered:
    return {TFTPKIT_END_DELIVERED, words, observe::Level::info, &LiveCounters::delivered};
  case Outcome::unconfirmed:
    return {TFTPKIT_END_UNCONFIRMED, words, observe::Level::info, &LiveCounters::unconfirmed};
  case Outcome::probed: return {TFTPKIT_END_PROBED, words, observe::Level::info, &LiveCounters::probed};
  case Outcome::client_error:
    return {TFTPKIT_END_CLIENT, words, observe::Level::info, &LiveCounters::client_errors};
  case Outcome::timed_out:
  case Outcome::unreachable:
  case Outcome::refused: break;
  }
  return {TFTPKIT_END_TIMEOUT, words, observe::Level::info, &LiveCounters::timed_out};
}

}  // namespace tftpkit::serve
