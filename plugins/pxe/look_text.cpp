#include "look_text.hpp"

#include "arguments_text.hpp"
#include "config/nearest.hpp"

#include <algorithm>
#include <charconv>

namespace tftpkit::pxe {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view digits = "0123456789";

// "115200", "115200n8": speed, parity, bits, flow control.
bool is_line_setting(std::string_view text, unsigned& speed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc() || speed == 0) return false;
  for (const std::string_view allowed : {"noe", "5678", "r"}) {
    if (rest.empty()) return true;
    if (allowed.find(rest[0]) == std::string_view::npos) return false;
    rest.remove_prefix(1);
  }
  return rest.empty();
}

std::optional<Console> console_from(std::string_view text) {
  Console console{std::string(text), std::nullopt, 115200};
  const std::size_t comma = text.find(',');
  const std::string_view device = text.substr(0, comma);
  const std::size_t number = std::min(device.find_first_of(digits), device.size());
  const bool is_tty = device.starts_with("tty") && number > 3 && number < device.size() &&
                      device.find_first_not_of(digits, number) == std::string_view::npos &&
                      std::all_of(device.begin(), device.begin() + static_cast<std::ptrdiff_t>(number),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (!is_tty) return std::nullopt;
  if (comma != std::string_view::npos && !is_line_setting(text.substr(comma + 1), console.speed))
    return std::nullopt;
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(device.data() + number, device.data() + device.size(), unit);
  if (error != std::errc() || unit > 255) return std::nullopt;
  if (device.substr(0, number) == "ttyS") console.unit = unit;
  return console;
}

bool is_hash(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./$+=";
  return text.find_first_not_of(allowed) == std::string_view::npos &&
         std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view one) { return text.starts_with(one) && text.size() > one.size(); });
}

void password(config::ObjectReader& look, Look& made) {
  const config::Json* value = look.member("password");
  if (value == nullptr) return;
  config::ObjectReader reader(*value, look.pointer_of("password"), look.report());
  const auto hash = [&](const std::string& key, std::optional<std::string>& into,
                        std::initializer_list<std::string_view> beginnings, const std::string& hint) {
    std::string text;
    reader.text(key, text);
    if (reader.member(key) == nullptr || !reader.member(key)->is_string()) return;
    // The text may be a password: it is not shown.
    if (!is_hash(text, beginnings))
      reader.report().add(reader.pointer_of(key), {"this is no password hash", hint});
    into = text;
  };
  hash("syslinux", made.syslinux_password, {"$1$", "$4$", "$5$", "$6$"},
       "make one with mkpasswd -m sha-512; it begins with $6$");
  hash("grub", made.grub_password, {"grub.pbkdf2.sha512."},
       "make one with grub-mkpasswd-pbkdf2; it begins with grub.pbkdf2.sha512.");
  reader.finish();
}

}  // namespace

std::string read_line(config::ObjectReader& reader, const std::string& key) {
  std::string text;
  reader.text(key, text);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), control))
    reader.report().add(reader.pointer_of(key),
                        {"there is a control character in it", "write one line of text"});
  return text;
}

Look read_look(config::ObjectReader& owner) {
  Look look;
  const config::Json* value = owner.member("look");
  if (value == nullptr) return look;
  config::ObjectReader reader(*value, owner.pointer_of("look"), owner.report());
  if (std::string title = read_line(reader, "title"); !title.empty()) look.title = std::move(title);
  if (reader.member("timeout") != nullptr) {
    look.timeout = 5s;
    reader.duration("timeout", *look.timeout, {0ms, 1h});
  }
  if (std::string entry = read_line(reader, "default"); !entry.empty()) look.default_entry = std::move(entry);
  std::string serial;
  reader.text("serial", serial);
  look.console = console_from(serial);
  if (!serial.empty() && !look.console)
    reader.report().add(reader.pointer_of("serial"), {config::in_quotes(serial) + " is no serial console",
                                                      "write for example \"ttyS0\" or \"ttyS1,115200n8\""});
  if (const Pattern ui = read_path(reader, "ui"); !ui.empty()) look.ui = ui.text();
  password(reader, look);
  reader.finish();
  return look;
}

}  // namespace tftpkit::pxe
