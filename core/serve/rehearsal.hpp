// Rehearsal: one request from its name to the last byte without a network, by the code that serves: routes,
// opening, body. For `tftpkit explain`.
#pragma once

#include "loop/executor.hpp"
#include "serve/asked.hpp"
#include "serve/setup.hpp"
#include "serve/step.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::loop {
class Loop;
}

namespace tftpkit::serve {

struct Rehearsed {
  std::vector<Step> steps;
  // When bytes came:
  bool found = false;
  std::string instance;  // whose bytes they are
  transfer::Terms terms;
  std::vector<wire::Option> oack;     // empty: the first packet would be DATA 1
  std::optional<std::uint64_t> size;  // as it would be announced
  std::uint64_t bytes = 0;            // as the client would receive them, after netascii
  std::string sha256;
  // Otherwise:
  bool silent = false;  // no answer at all
  wire::Reject reject;  // the answer
  std::string why;      // for the operator
};

// `asked.path` is filled in here, from the name in the request. Runs `loop` until all is known, at most as
// long as the setup's time limits allow. Plugin calls that time out may still post to the loop: it ends after
// the executor.
[[nodiscard]] Rehearsed rehearse(loop::Loop& loop, const loop::Lane& disk, const Setup& setup, Asked asked);

}  // namespace tftpkit::serve
