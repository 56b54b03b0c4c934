#include "serve/asked.hpp"

#include "serve/plugin_address.hpp"

namespace tftpkit::serve {

host::OpenRequest open_request(const Asked& asked, const transfer::Terms& terms,
                               std::chrono::milliseconds answer_within) {
  host::OpenRequest request;
  request.id = asked.id;
  request.wire_path = asked.request.filename;
  request.path = asked.path;
  request.mode = terms.mode == wire::Mode::octet ? TFTPKIT_MODE_OCTET : TFTPKIT_MODE_NETASCII;
  request.blksize = terms.blksize;
  request.windowsize = terms.windowsize;
  request.answer_within = answer_within;
  request.peer = plugin_address(asked.peer);
  request.local = plugin_address(asked.local);
  for (const auto& option : asked.request.options)
    request.options.emplace_back(option.name, option.value);
  return request;
}

Step step_of(const transfer::Terms& terms, std::span<const wire::Option> oack) {
  std::string options;
  for (const auto& option : oack)
    options += " " + option.name + "=" + option.value;
  return {"terms", std::string{wire::words(terms.mode)},
          "blksize " + std::to_string(terms.blksize) + ", windowsize " + std::to_string(terms.windowsize),
          oack.empty() ? "no OACK: nothing was asked that is granted" : "OACK" + options};
}

}  // namespace tftpkit::serve
