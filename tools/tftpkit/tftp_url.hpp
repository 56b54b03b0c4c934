// A TFTP URL (RFC 3617): tftp://HOST[:PORT]/PATH[;mode=octet|netascii]
#pragma once

#include "wire/request.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tftpkit::cli {

struct TftpUrl {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 69;
  std::string path;  // decoded, without the slash behind the host; never empty
  wire::Mode mode = wire::Mode::octet;

  // Throws Failure that says what is wrong with the text.
  static TftpUrl parse(std::string_view text);
};

}  // namespace tftpkit::cli
