// Words for outcomes.
#include "transfer/outcome.hpp"

namespace tftpkit::transfer {

std::string_view words(Outcome outcome) noexcept {
  switch (outcome) {
  case Outcome::delivered: return "delivered";
  case Outcome::unconfirmed: return "unconfirmed";
  case Outcome::probed: return "probed";
  case Outcome::client_error: return "client_error";
  case Outcome::timed_out: return "timed_out";
  case Outcome::unreachable: return "unreachable";
  case Outcome::refused: return "refused";
  }
  return "unknown outcome";
}

}  // namespace tftpkit::transfer
