// Answers every name with what the plugin was told about the request, one "key=value" a line. Control
// characters and bytes beyond ASCII are shown as \xNN.
#include <tftpkit/plugin.hpp>

#include <arpa/inet.h>

namespace {

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view digits = "0123456789abcdef";
    if (byte >= 0x20 && byte < 0x7f && byte != '\\')
      out.push_back(c);
    else
      out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return out;
}

std::string shown(const tftpkit::Address& address) {
  if (address.family == 0) return "none";
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.family == 4 ? AF_INET : AF_INET6, address.bytes, text.data(), text.size());
  const std::string ip = text.data();
  return (address.family == 4 ? ip : "[" + ip + "]") + ":" + std::to_string(address.port);
}

std::string mac_of(const tftpkit::Host& host, std::uint64_t request) {
  const auto mac = host.link_address(request);
  if (!mac) return "none";
  std::string text;
  for (const std::uint8_t byte : *mac) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (!text.empty()) text.push_back(':');
    text.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return text;
}

}  // namespace

struct PathInfo : tftpkit::Plugin {
  tftpkit::Answer open(const tftpkit::Request& request) {
    std::string out;
    out += "path=" + shown(request.path()) + "\n";
    out += "wire_path=" + shown(request.wire_path()) + "\n";
    out += std::string("mode=") + (request.netascii() ? "netascii" : "octet") + "\n";
    out += "blksize=" + std::to_string(request.blksize()) + "\n";
    out += "windowsize=" + std::to_string(request.windowsize()) + "\n";
    out += "answer_within_ms=" + std::to_string(request.answer_within_ms()) + "\n";
    out += "peer=" + shown(request.peer()) + "\n";
    out += "local=" + shown(request.local()) + "\n";
    out += "mac=" + mac_of(host(), request.id()) + "\n";
    out += "redirects=" + std::to_string(request.raw().redirects) + "\n";
    out += "instance=" + std::string(host().instance_name()) + "\n";
    for (const tftpkit_option& one : request.options())
      out += "option=" + shown(tftpkit::view_of(one.name)) + ":" + shown(tftpkit::view_of(one.value)) + "\n";
    return tftpkit::text(out);
  }
};
TFTPKIT_PLUGIN_CLASS(PathInfo, {.name = "pathinfo", .version = "1.0", .summary = "Tells what it was asked"})
