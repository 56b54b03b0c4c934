// One line of the record of what was given to whom, as a value: to JSON and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::firmware {

struct Given {
  std::chrono::system_clock::time_point time;  // of the request
  std::string device;                          // MAC, serial, uuid or address
  std::string source;  // how it was known: "name", "neighbour", "lease", "address", "nobody"
  bool known = false;  // is it in the inventory?
  std::string peer;
  std::string name;  // that it asked for
  std::string rule;
  std::string channel;  // "pin", "canary", "stable", or empty
  std::string profile;
  std::string image;  // the file or template that answered
  std::string model;
  std::string version;
  std::string outcome;  // "delivered", "unconfirmed", "probed", "refused", "client", "timeout", ...
  std::uint64_t bytes = 0;
};

// One line without a newline; any bytes may be in the texts.
[[nodiscard]] std::string line_of(const Given& given);
// nullopt: it is no such line.
[[nodiscard]] std::optional<Given> given_from(std::string_view line);

// The word for TFTPKIT_END_*.
[[nodiscard]] std::string_view outcome_text(std::uint32_t end) noexcept;

}  // namespace tftpkit::firmware
