#include "tftp_url.hpp"

#include "command.hpp"

#include <charconv>
#include <optional>

namespace tftpkit::cli {

namespace {

[[noreturn]] void fail(std::string_view text, const std::string& what) {
  throw Failure(std::string{text} + ": " + what + "; right is tftp://HOST[:PORT]/PATH");
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const auto lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a') + 10;
  return std::nullopt;
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto high = i + 2 < text.size() && text[i] == '%' ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return plain;
}

void parse_authority(TftpUrl& url, std::string_view authority, std::string_view text) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) fail(text, "the IPv6 address has no closing bracket");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  }
  if (url.host.empty()) fail(text, "there is no host");
  if (port.empty()) return;
  const char* end = port.data() + port.size();
  const auto [at, error] = std::from_chars(port.data() + 1, end, url.port);
  if (port.front() != ':' || error != std::errc{} || at != end || url.port == 0)
    fail(text, "the port is no number from 1 to 65535");
}

void parse_mode(TftpUrl& url, std::string_view text) {
  const auto at = url.path.rfind(";mode=");
  if (at == std::string::npos) return;
  const std::string mode = url.path.substr(at + 6);
  if (mode == "netascii")
    url.mode = wire::Mode::netascii;
  else if (mode != "octet")
    fail(text, "the mode \"" + mode + "\" is neither octet nor netascii");
  url.path.erase(at);
}

}  // namespace

TftpUrl TftpUrl::parse(std::string_view text) {
  constexpr std::string_view scheme = "tftp://";
  TftpUrl url;
  if (!text.starts_with(scheme)) fail(text, "a URL begins with tftp://");
  const std::string_view rest = text.substr(scheme.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) fail(text, "there is no path");
  parse_authority(url, rest.substr(0, slash), text);
  url.path = decoded(rest.substr(slash + 1));
  parse_mode(url, text);
  if (url.path.empty()) fail(text, "the path is empty");
  if (url.path.find('\0') != std::string::npos) fail(text, "the path has a NUL byte");
  return url;
}

}  // namespace tftpkit::cli
