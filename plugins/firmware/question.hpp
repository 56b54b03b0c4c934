// What a request asks of the rules, and what is known about the device behind it. Values only: nothing here
// looks anything up by itself.
#pragma once

#include "firmware/inventory.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tftpkit::firmware {

// What one request shows before anything is known of its device.
struct Question {
  std::string name;  // the clean name
  std::optional<kit::Ip> peer;
  std::optional<kit::Mac> neighbour;                         // the kernel's neighbour table
  std::optional<kit::Mac> lease;                             // a DHCP server's lease file
  std::vector<std::pair<std::string, std::string>> options;  // as sent; names in lower case
  std::chrono::system_clock::time_point time;
};

// How the device was known. The order is the order of trust.
enum class Source { name, neighbour, lease, address, nobody };
[[nodiscard]] std::string_view source_text(Source source) noexcept;

// Named texts: captures of the name, what an option said, what the inventory knows.
using Values = std::map<std::string, std::string, std::less<>>;

// The device as far as it is known.
struct Identity {
  Source source = Source::nobody;
  const Device* device = nullptr;  // the line of the inventory; nullptr: an unknown device
  std::optional<kit::Mac> mac;
  std::optional<kit::Ip> ip;
  Values values;  // "serial", "model", "hostname", "version", ... of whatever source; never empty ones

  [[nodiscard]] std::string_view value(std::string_view name) const {
    const auto at = values.find(name);
    return at == values.end() ? std::string_view() : std::string_view(at->second);
  }
  // "00:15:65:12:34:ab", a serial, a uuid or an address: how the record calls the device.
  [[nodiscard]] std::string text() const;
};

// Who is it? `in_name` are the captures of the name. The strongest source that the inventory knows decides,
// as long as no stronger one contradicts it: a line with another MAC or serial than the name says is somebody
// else's.
[[nodiscard]] Identity identified(const Question& question, const Values& in_name, const Values& in_options,
                                  const Inventory& inventory);

}  // namespace tftpkit::firmware
