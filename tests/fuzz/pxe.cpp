// The inventory of plugin pxe with a name that a loader asks for: an inventory that is accepted makes menus
// for any loader, in which every line is one that the templates have. Input: inventory (JSON), names a line
// each, with "%%" on a line between.
#include "asked.hpp"
#include "client.hpp"
#include "input.hpp"
#include "inventory_file.hpp"
#include "memory_file.hpp"
#include "menu.hpp"
#include "templates.hpp"
#include "wire/path.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace tftpkit;
using fuzz::claim;
using pxe::Syntax;

// The words that lines of the built-in templates begin with.
const std::vector<std::string_view>& words_of(Syntax syntax) {
  static const std::vector<std::string_view> syslinux = {"",       "SERIAL",  "#",        "DEFAULT", "UI",
                                                         "PROMPT", "TIMEOUT", "MENU",     "LABEL",   "KERNEL",
                                                         "INITRD", "APPEND",  "LOCALBOOT"};
  static const std::vector<std::string_view> extlinux = {"",        "#",       "menu",   "prompt",
                                                         "timeout", "default", "label",  "kernel",
                                                         "initrd",  "fdtdir",  "append", "localboot"};
  static const std::vector<std::string_view> grub = {"",
                                                     "#",
                                                     "serial",
                                                     "terminal_input",
                                                     "terminal_output",
                                                     "set",
                                                     "password_pbkdf2",
                                                     "menuentry",
                                                     "linux",
                                                     "initrd",
                                                     "chainloader",
                                                     "if",
                                                     "exit",
                                                     "fi",
                                                     "}"};
  static const std::vector<std::string_view> ipxe = {
      "",       "#!ipxe", "#",     "menu", "item",    "choose",  "goto", "imgfree", "kernel",
      "initrd", "boot",   "chain", "iseq", "sanboot", ":failed", "echo", "sleep",   "exit"};
  switch (syntax) {
  case Syntax::syslinux: return syslinux;
  case Syntax::extlinux: return extlinux;
  case Syntax::grub: return grub;
  case Syntax::ipxe: break;
  }
  return ipxe;
}

void check_menu(Syntax syntax, std::string_view menu) {
  const auto& words = words_of(syntax);
  while (!menu.empty()) {
    std::string_view line = menu.substr(0, menu.find('\n'));
    menu.remove_prefix(std::min(line.size() + 1, menu.size()));
    claim(fuzz::is_plain_line(line), "a menu is plain text");
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto word = line.substr(0, line.find(' '));
    const bool entry = syntax == Syntax::ipxe && word.starts_with(":entry_");
    claim(entry || std::ranges::find(words, word) != words.end(),
          "every line of a menu is one of its template");
  }
}

// Nobody's text becomes a loader's command, whoever wrote it.
void check_menus(const pxe::Client& client, const pxe::Profile& profile) {
  static const auto templates = pxe::Templates::load(std::nullopt);
  for (const auto syntax : {Syntax::syslinux, Syntax::extlinux, Syntax::grub, Syntax::ipxe})
    check_menu(syntax,
               templates->menu(syntax).rendered(pxe::menu_values(syntax, client, profile, "192.0.2.1")));
}

void ask(const pxe::Inventory& inventory, const std::string& name) {
  const auto path = wire::clean_path(name);
  if (!std::holds_alternative<std::string>(path)) return;
  const auto asked = pxe::asked_by(std::get<std::string>(path));
  pxe::Sender sender;
  sender.ip = kit::ip_from("10.77.8.20");
  sender.neighbour = [] { return kit::mac_from("52:54:00:ab:cd:01"); };
  std::string why;
  const auto client =
      asked ? pxe::client_of(*asked, sender, inventory, why) : pxe::client_of(sender, inventory);
  if (!client) {
    claim(!why.empty() && fuzz::is_plain_line(why), "why nobody is known is one plain line");
    return;
  }
  const auto* profile = client->profile();
  if (profile != nullptr && profile->kind != pxe::Profile::Kind::files) check_menus(*client, *profile);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile file;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  file.holds(parts[0]);
  const auto inventory = pxe::load_inventory(file.path(), true);
  if (!inventory) {
    claim(!inventory.problems().empty(), "what is refused has a reason");
    for (const auto& problem : inventory.problems())
      claim(!problem.what.empty() && fuzz::is_plain_line(config::text(problem)),
            "a problem is one plain line");
    return 0;
  }
  auto names = parts[1];
  for (int i = 0; i < 8 && !names.empty(); ++i) {
    const std::string name(names.substr(0, names.find('\n')));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    ask(**inventory, name);
  }
  return 0;
}
