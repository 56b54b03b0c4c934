// The client of one request, as names: its address and, when somebody asks, its MAC. Lives for one request.
#pragma once

#include <tftpkit/plugin.h>

#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::file {

class Client {
 public:
  Client(const tftpkit_host& host, const tftpkit_request& request) noexcept
      : host_(host), request_(request) {}

  // "10.0.0.5" or "2001:db8::5"; an IPv4-mapped address as IPv4. Empty without a network.
  std::string address() const;
  // "0A000005", or 32 digits for IPv6. Empty without a network.
  std::string address_hex() const;
  // "52-54-00-ab-cd-01", when the kernel's neighbour table knows it. Asked once.
  const std::optional<std::string>& mac();

 private:
  const tftpkit_host& host_;
  const tftpkit_request& request_;
  bool mac_asked_ = false;
  std::optional<std::string> mac_;
};

// Is this how the directory of a client is called: an IPv4 or IPv6 address, or a MAC with dashes in any case?
bool is_address_name(std::string_view name);
bool is_mac_name(std::string_view name);

}  // namespace tftpkit::file
