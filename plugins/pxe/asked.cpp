#include "asked.hpp"

#include "kit/hex.hpp"

namespace tftpkit::pxe {
namespace {

constexpr std::string_view::size_type npos = std::string_view::npos;

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (kit::lower_case(text.substr(0, prefix.size())) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool drop_suffix(std::string_view& text, std::string_view suffix) {
  if (text.size() < suffix.size() || kit::lower_case(text.substr(text.size() - suffix.size())) != suffix)
    return false;
  text.remove_suffix(suffix.size());
  return true;
}

// Takes the last part off `path`.
std::string_view take_last(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == npos ? path : path.substr(slash + 1);
  path = slash == npos ? std::string_view() : path.substr(0, slash);
  return last;
}

bool is_last(std::string_view dir, std::string_view name) {
  return kit::lower_case(take_last(dir)) == name;
}

Asked asked(Form form, std::string_view dir) {
  Asked made;
  made.form = form;
  made.dir = dir;
  return made;
}

bool by_uuid(std::string_view text, Asked& asked) {
  const auto uuid = uuid_from(text);
  if (!uuid) return false;
  asked.by = By::uuid;
  asked.uuid = *uuid;
  return true;
}

bool by_mac(std::string_view text, Asked& asked) {
  const auto mac = kit::mac_from(text);
  if (!mac) return false;
  asked.by = By::mac;
  asked.mac = *mac;
  asked.link_address = kit::mac_text(*mac);
  return true;
}

// Addresses of Ethernet have six bytes; those of Infiniband (type 20) come as 8 or 20.
bool fits(unsigned hardware, std::size_t bytes) {
  return bytes == 6 || (hardware == 0x20 && (bytes == 8 || bytes == 20));
}

// "01-52-54-00-ab-cd-01": ARP type, then the address.
bool by_typed_mac(std::string_view text, Asked& asked) {
  if (text.size() % 3 != 2) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i % 3 == 2 ? text[i] != '-' : kit::hex_value(text[i]) < 0) return false;
  asked.hardware = static_cast<unsigned>(kit::hex_value(text[0]) * 16 + kit::hex_value(text[1]));
  if (text.size() < 3 || !fits(asked.hardware, text.size() / 3)) return false;
  asked.by = By::mac;
  asked.link_address = kit::lower_case(text.substr(3));
  for (char& c : asked.link_address)
    if (c == '-') c = ':';
  if (asked.hardware == 1) asked.mac = kit::mac_from(asked.link_address);
  return true;
}

// "0A4D0032" is an address, "0A4D" the network 10.77.0.0/16.
bool by_hex_ip(std::string_view text, Asked& asked) {
  if (text.size() > 8 || !kit::is_hex(text)) return false;
  kit::Ip ip;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int shift = i % 2 == 0 ? 4 : 0;
    ip.bytes[i / 2] = static_cast<std::uint8_t>(ip.bytes[i / 2] | kit::hex_value(text[i]) << shift);
  }
  asked.by = By::ip;
  asked.network = kit::network_of(ip, static_cast<unsigned>(text.size() * 4));
  return true;
}

bool by_default(std::string_view text, Asked& asked) {
  if (!drop_prefix(text, "default")) return false;
  if (!text.empty() && (text.size() < 2 || text[0] != '-')) return false;
  asked.by = By::nobody;
  asked.word = text.empty() ? text : text.substr(1);
  return true;
}

// The keys that PXELINUX and GRUB put behind their name.
bool by_search_key(std::string_view text, Asked& asked) {
  return by_uuid(text, asked) || by_typed_mac(text, asked) || by_hex_ip(text, asked) ||
         by_default(text, asked);
}

std::optional<Asked> pxelinux(std::string_view path) {
  const std::string_view last = take_last(path);
  if (!is_last(path, "pxelinux.cfg")) return std::nullopt;
  take_last(path);
  Asked made = asked(Form::pxelinux, path);
  if (!by_search_key(last, made)) return std::nullopt;
  return made;
}

std::optional<Asked> extlinux(std::string_view path) {
  if (kit::lower_case(take_last(path)) != "extlinux.conf" || !is_last(path, "extlinux")) return std::nullopt;
  take_last(path);
  return asked(Form::extlinux, path);
}

std::optional<Asked> grub(std::string_view path) {
  std::string_view last = take_last(path);
  if (!drop_prefix(last, "grub.cfg")) return std::nullopt;
  Asked made = asked(Form::grub, path);
  if (last.empty()) return made;
  // MAAS puts GRUB's own ${net_default_mac} there, without a type.
  if (last[0] != '-' || !(by_search_key(last.substr(1), made) || by_mac(last.substr(1), made)))
    return std::nullopt;
  return made;
}

// "mac-<address>", "uuid-<uuid>", "hostname-<name>", the bare address or UUID, or one of those in a directory
// that is called mac, uuid or hostname; else a word.
void by_free_key(std::string_view text, std::string_view dir, Asked& asked) {
  std::string_view rest = text;
  const bool in_mac = is_last(dir, "mac"), in_uuid = is_last(dir, "uuid"), in_host = is_last(dir, "hostname");
  if ((drop_prefix(rest, "mac-") || in_mac) && by_mac(rest, asked)) return;
  rest = text;
  if ((drop_prefix(rest, "uuid-") || in_uuid) && by_uuid(rest, asked)) return;
  rest = text;
  if ((drop_prefix(rest, "hostname-") || in_host) && !rest.empty()) {
    asked.by = By::hostname;
    asked.word = rest;
    return;
  }
  if (by_typed_mac(text, asked) || by_mac(text, asked) || by_uuid(text, asked)) return;
  asked.by = By::nobody;
  asked.word = text;
}

std::optional<Asked> ipxe(std::string_view path) {
  std::string_view last = take_last(path);
  if (!drop_suffix(last, ".ipxe") || last.empty()) return std::nullopt;
  Asked made = asked(Form::ipxe, path);
  by_free_key(last, path, made);
  return made;
}

std::optional<Asked> uki(std::string_view path) {
  std::string_view last = take_last(path);
  if (!drop_suffix(last, ".efi") || last.empty()) return std::nullopt;
  Asked made = asked(Form::uki, path);
  if (kit::lower_case(last) == "uki") return made;
  if (!is_last(path, "uki")) return std::nullopt;
  by_free_key(last, path, made);
  if (made.by == By::nobody && kit::lower_case(made.word) != "default") made.by = By::hostname;
  return made;
}

std::optional<Asked> uboot_image(std::string_view path) {
  std::string_view last = take_last(path);
  if (!drop_suffix(last, ".img") || last.size() != 8) return std::nullopt;
  Asked made = asked(Form::uboot_image, path);
  if (!by_hex_ip(last, made)) return std::nullopt;
  return made;
}

std::optional<Asked> serial_dir(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash != 8 || !kit::is_hex(path.substr(0, slash))) return std::nullopt;
  Asked made = asked(Form::serial_dir, "");
  made.by = By::serial;
  made.word = kit::lower_case(path.substr(0, slash));
  made.rest = path.substr(slash + 1);
  return made;
}

}  // namespace

std::optional<Asked> asked_by(std::string_view path) {
  for (const auto& reading : {pxelinux, extlinux, grub, ipxe, uki, uboot_image, serial_dir})
    if (auto made = reading(path)) return made;
  return std::nullopt;
}

}  // namespace tftpkit::pxe
