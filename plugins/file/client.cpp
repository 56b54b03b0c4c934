// Addresses as text.
#include "client.hpp"

#include "kit/ip.hpp"
#include "kit/mac.hpp"
#include "kit/neighbour.hpp"

namespace tftpkit::file {

std::string Client::address() const {
  const auto ip = kit::ip_of(request_.peer);
  return ip ? kit::ip_text(*ip) : std::string();
}

std::string Client::address_hex() const {
  const auto ip = kit::ip_of(request_.peer);
  return ip ? kit::ip_hex(*ip) : std::string();
}

const std::optional<std::string>& Client::mac() {
  if (mac_asked_) return mac_;
  mac_asked_ = true;
  if (const auto mac = kit::neighbour_of(host_, request_.id)) mac_ = kit::mac_text(*mac, '-');
  return mac_;
}

bool is_address_name(std::string_view name) {
  return kit::ip_from(name).has_value();
}

bool is_mac_name(std::string_view name) {
  return name.find_first_of(":.") == std::string_view::npos && name.size() == 17 &&
         kit::mac_from(name).has_value();
}

}  // namespace tftpkit::file
