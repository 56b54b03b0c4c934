// Asked: one admitted request, and how plugins are asked for it. A value; knows no socket.
#pragma once

#include "host/requests.hpp"
#include "loop/address.hpp"
#include "serve/step.hpp"
#include "transfer/negotiation.hpp"
#include "wire/request.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace tftpkit::serve {

struct Asked {
  std::uint64_t id = 0;
  wire::Request request;
  std::string path;  // clean
  loop::Address peer;
  loop::Address local;  // the address and port that were asked
  bool broadcast = false;
};

[[nodiscard]] host::OpenRequest open_request(const Asked& asked, const transfer::Terms& terms,
                                             std::chrono::milliseconds answer_within);

// What was agreed, and the OACK that says so.
[[nodiscard]] Step step_of(const transfer::Terms& terms, std::span<const wire::Option> oack);

}  // namespace tftpkit::serve
