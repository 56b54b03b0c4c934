// Addresses as text.
#include "client.hpp"

#include <arpa/inet.h>
#include <cctype>
#include <cstdio>
#include <cstring>

namespace tftpkit::file {
namespace {

constexpr std::uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string as_hex(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  char digits[3];
  for (std::size_t i = 0; i < count; ++i) {
    std::snprintf(digits, sizeof digits, "%02X", static_cast<unsigned>(bytes[i]));
    text += digits;
  }
  return text;
}

}  // namespace

bool Client::is_ipv4() const noexcept {
  return request_.peer.family == 4 ||
         (request_.peer.family == 6 &&
          std::memcmp(request_.peer.bytes, mapped_prefix, sizeof mapped_prefix) == 0);
}

const std::uint8_t* Client::ipv4_bytes() const noexcept {
  return request_.peer.family == 4 ? request_.peer.bytes : request_.peer.bytes + sizeof mapped_prefix;
}

std::string Client::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4())
    ::inet_ntop(AF_INET, ipv4_bytes(), text, sizeof text);
  else if (request_.peer.family == 6)
    ::inet_ntop(AF_INET6, request_.peer.bytes, text, sizeof text);
  return text;
}

std::string Client::address_hex() const {
  if (is_ipv4()) return as_hex(ipv4_bytes(), 4);
  return request_.peer.family == 6 ? as_hex(request_.peer.bytes, 16) : std::string();
}

const std::optional<std::string>& Client::mac() {
  if (mac_asked_) return mac_;
  mac_asked_ = true;
  std::uint8_t bytes[6] = {};
  if (host_.peer_link_address(&host_, request_.id, bytes) != TFTPKIT_OK) return mac_;
  char text[18];
  std::snprintf(text, sizeof text, "%02x-%02x-%02x-%02x-%02x-%02x", static_cast<unsigned>(bytes[0]),
                static_cast<unsigned>(bytes[1]), static_cast<unsigned>(bytes[2]),
                static_cast<unsigned>(bytes[3]), static_cast<unsigned>(bytes[4]),
                static_cast<unsigned>(bytes[5]));
  mac_ = text;
  return mac_;
}

bool is_address_name(std::string_view name) noexcept {
  char text[INET6_ADDRSTRLEN] = "";
  if (name.empty() || name.size() >= sizeof text) return false;
  std::memcpy(text, name.data(), name.size());
  in6_addr ignored{};
  return ::inet_pton(AF_INET, text, &ignored) == 1 || ::inet_pton(AF_INET6, text, &ignored) == 1;
}

bool is_mac_name(std::string_view name) noexcept {
  if (name.size() != 17) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool right = i % 3 == 2 ? name[i] == '-' : std::isxdigit(static_cast<unsigned char>(name[i])) != 0;
    if (!right) return false;
  }
  return true;
}

}  // namespace tftpkit::file
