// The devices that the operator knows, from a CSV file with a header: who they are, what runs on them, and
// what they shall get. Values only; reading the file and watching it are somebody else's business.
#pragma once

#include "config/report.hpp"
#include "kit/ip.hpp"
#include "kit/mac.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tftpkit::firmware {

// Which side of a rollout a device is on by decree.
enum class Ring { none, canary, hold };

struct Device {
  std::optional<kit::Mac> mac;
  std::optional<kit::Ip> ip;
  std::string serial;
  std::string uuid;  // lower case
  std::string vendor;
  std::string model;
  std::string hostname;
  std::string group;
  std::string version;  // what is known to be installed
  std::string pin;      // the release that it gets whatever a channel says
  Ring ring = Ring::none;
  std::vector<std::string> asks;            // names it would ask for; used by dry runs only
  std::map<std::string, std::string> more;  // further columns, for templates
};

class Inventory {
 public:
  // What cannot be read is reported with its line and column; it is left out of the result.
  [[nodiscard]] static Inventory from_csv(std::string_view text, config::Report& report);

  [[nodiscard]] const Device* by_mac(const kit::Mac& mac) const;
  [[nodiscard]] const Device* by_ip(const kit::Ip& ip) const;
  [[nodiscard]] const Device* by_serial(const std::string& serial) const;
  [[nodiscard]] const Device* by_uuid(const std::string& uuid) const;          // in any case
  [[nodiscard]] const Device* by_hostname(const std::string& hostname) const;  // in any case
  // The columns without a meaning of their own.
  [[nodiscard]] const std::vector<std::string>& more_columns() const noexcept { return more_columns_; }
  [[nodiscard]] const std::vector<Device>& devices() const noexcept { return devices_; }

 private:
  template <class Key>
  using Index = std::unordered_map<Key, std::size_t>;

  template <class Key>
  [[nodiscard]] const Device* found(const Index<Key>& index, const Key& key) const {
    const auto at = index.find(key);
    return at == index.end() ? nullptr : &devices_[at->second];
  }
  void add(Device device, std::size_t line, config::Report& report);

  std::vector<Device> devices_;
  std::vector<std::string> more_columns_;
  Index<kit::Mac> by_mac_;
  Index<kit::Ip> by_ip_;
  Index<std::string> by_serial_;
  Index<std::string> by_uuid_;
  Index<std::string> by_hostname_;
};

// The fields of one line: separated by commas; a field in double quotes may hold commas, and a doubled quote
// is one. nullopt: a quote is not closed.
[[nodiscard]] std::optional<std::vector<std::string>> csv_fields(std::string_view line);

}  // namespace tftpkit::firmware
