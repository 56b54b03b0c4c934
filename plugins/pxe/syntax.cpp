#include "syntax.hpp"

#include "observe/escape.hpp"

#include <algorithm>

namespace tftpkit::pxe {
namespace {

constexpr std::string_view never_carried = "\"'\\$`";

std::string only(std::string_view text, bool (*carried)(char) noexcept) {
  std::string made(text);
  std::replace_if(
      made.begin(), made.end(), [&](char c) { return !carried(c); }, '_');
  return made;
}

// iPXE takes these tokens for the end of a command, wherever they stand.
std::string without_separators(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view token = text.substr(0, end);
    const bool separates = token == ";" || token == "||" || token == "&&";
    made += separates ? std::string(token.size(), '_') : std::string(token);
    text.remove_prefix(end);
    const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
    made += text.substr(0, spaces);
    text.remove_prefix(spaces);
  }
  return made;
}

// name="a b", which is how the kernel wants it
std::string in_kernel_quotes(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return text;
  const std::size_t equals = text.find('=');
  const std::size_t begin = equals < space ? equals + 1 : 0;
  return text.substr(0, begin) + '"' + text.substr(begin) + '"';
}

// GRUB puts an argument with spaces into the kernel's quotes itself.
std::string in_grub_quotes(const std::string& text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  return "'" + text + "'";
}

// Printable characters; those beyond ASCII where the loader's screen may know them.
std::string one_line(std::string_view text, bool utf8) {
  std::string made;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(observe::utf8_length(text), 1);
    const bool ascii = length == 1 && text[0] >= 0x20 && text[0] < 0x7f;
    const bool control = length == 1 && static_cast<unsigned char>(text[0]) < 0x20;
    const bool beyond =
        utf8 && length > 1 && observe::escaped(text.substr(0, length)) == text.substr(0, length);
    if (ascii || beyond) {
      made += text.substr(0, length);
    } else {
      made += control ? ' ' : '_';
    }
    text.remove_prefix(length);
  }
  const std::size_t begin = made.find_first_not_of(' ');
  if (begin == std::string::npos) return "_";
  return made.substr(begin, made.find_last_not_of(' ') - begin + 1);
}

std::string in_single_quotes(const std::string& text) {
  std::string made = "'";
  for (const char c : text)
    made += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return made + "'";
}

std::string for_ipxe(std::string text) {
  std::replace(text.begin(), text.end(), '$', '_');
  std::replace(text.begin(), text.end(), '\\', '_');  // at the end of a line it would go on with the next
  if (text[0] == '-') text[0] = '_';                  // an option of the command
  return without_separators(text);
}

// http://server/path is (http,server)/path for GRUB.
std::string grub_url(const std::string& url, std::size_t scheme_end) {
  const std::size_t server = scheme_end + 3;
  const std::size_t slash = std::min(url.find('/', server), url.size());
  const std::string path = slash < url.size() ? url.substr(slash) : "/";
  return in_grub_quotes("(" + url.substr(0, scheme_end) + "," + url.substr(server, slash - server) + ")" +
                        path);
}

}  // namespace

bool is_argument_character(char c) noexcept {
  return c >= 0x20 && c < 0x7f && never_carried.find(c) == std::string_view::npos;
}

bool is_path_character(char c) noexcept {
  return is_argument_character(c) && std::string_view(" ,;{}|<>").find(c) == std::string_view::npos;
}

std::string argument(Syntax syntax, std::string_view text) {
  const std::string plain = only(text, is_argument_character);
  if (syntax == Syntax::grub) return in_grub_quotes(plain);
  return in_kernel_quotes(syntax == Syntax::ipxe ? without_separators(plain) : plain);
}

std::string line(Syntax syntax, std::string_view text) {
  switch (syntax) {
  case Syntax::grub: return in_single_quotes(one_line(text, true));
  case Syntax::ipxe: return for_ipxe(one_line(text, true));
  case Syntax::syslinux:
  case Syntax::extlinux: break;
  }
  return one_line(text, false);
}

std::string file(Syntax syntax, std::string_view path) {
  std::string plain = only(path, is_path_character);
  const std::size_t scheme_end = plain.find("://");
  if (scheme_end != std::string::npos) return syntax == Syntax::grub ? grub_url(plain, scheme_end) : plain;
  plain.erase(0, std::min(plain.find_first_not_of('/'), plain.size()));
  if (syntax == Syntax::grub) return in_grub_quotes("/" + plain);
  return (syntax == Syntax::syslinux ? "::" : "/") + plain;
}

std::string label(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  if (made.empty() || made[0] == '-') made.insert(0, 1, '_');
  return made;
}

}  // namespace tftpkit::pxe
