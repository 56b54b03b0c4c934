#include "menu.hpp"

#include <algorithm>
#include <map>

namespace tftpkit::pxe {
namespace {

using kit::Values;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds usual_timeout = 5s;

Values list() {
  return Values(Values::type::list);
}

Values section(bool on) {
  return Values(on ? Values::type::bool_true : Values::type::bool_false);
}

void set(Values& values, const char* name, const std::string& text) {
  if (!text.empty()) values.set(name, text);
}

// Wider wishes first, so that what is narrower comes later and wins.
std::vector<const Wishes*> widest_first(const Client& client) {
  auto wishes = client.wishes();
  std::reverse(wishes.begin(), wishes.end());
  return wishes;
}

void set_own(Values& values, const Client& client) {
  std::map<std::string, std::string> own;
  std::vector<std::string> tags;
  for (const Wishes* wish : widest_first(client)) {
    for (const auto& [name, text] : wish->values)
      own[name] = text;
    tags.insert(tags.end(), wish->tags.begin(), wish->tags.end());
  }
  Values texts(Values::type::object), flags(Values::type::object), tag_list = list();
  for (const auto& [name, text] : own)
    texts.set(name, text);
  for (const std::string& tag : tags) {
    flags.set(tag, section(true));
    tag_list << Values(tag);
  }
  values.set("values", texts);
  values.set("tag", flags);
  values.set("tags", tag_list);
}

Look look_of(const Client& client) {
  Look look;
  for (const Wishes* wish : client.wishes())
    look.fill_from(wish->look);
  return look;
}

std::string joined(const std::vector<std::string>& words, char separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

// One menu in one syntax.
class Menu {
 public:
  Menu(Syntax syntax, const Client& client, const Profile& profile, const std::string& server)
      : syntax_(syntax), client_(client), profile_(profile), look_(look_of(client)),
        raw_(client_values(client, profile, server)) {}

  Values values() {
    Values values = raw_;
    // A comment in every syntax; a backslash at its end would take the next line into it.
    values.set("note", line(Syntax::extlinux, line(Syntax::ipxe, note())));
    values.set("title", line(syntax_, look_.title.value_or(profile_.title)));
    const Profile& chosen = default_entry();
    values.set("default", label(chosen.name));
    timeouts(values);
    values.set("ui", look_.ui.value_or("menu.c32"));  // beside the loader, not at the root
    set(values, "password", password());
    const auto entries = profiles();
    values.set("several", section(entries.size() > 1 || !password().empty()));
    if (look_.console && look_.console->unit) values.set("serial", serial());
    Values rows = list();
    for (const Profile* profile : entries)
      rows << entry(*profile, profile == &chosen);
    values.set("entries", rows);
    return values;
  }

 private:
  std::vector<const Profile*> profiles() const {
    if (profile_.kind == Profile::Kind::menu) return profile_.menu;
    return {&profile_};
  }

  const Profile& default_entry() const {
    const auto entries = profiles();
    const auto named = std::find_if(entries.begin(), entries.end(), [&](const Profile* profile) {
      return look_.default_entry == profile->name;
    });
    if (named != entries.end()) return **named;
    return profile_.menu_default != nullptr ? *profile_.menu_default : *entries.front();
  }

  std::string note() const {
    const std::string who = client_.machine != nullptr ? client_.machine->name
                            : !client_.groups.empty()  ? "group " + client_.groups.front()->name
                                                       : "default";
    return who + ": " + profile_.name;
  }

  void timeouts(Values& values) const {
    // Zero means "for ever" to some loaders and "at once" to others: a tenth of a second is short to all.
    const auto time = std::max<std::chrono::milliseconds>(look_.timeout.value_or(usual_timeout), 100ms);
    values.set("timeout", std::to_string(time / 1s));
    values.set("timeout_tenths", std::to_string(time / 100ms));
    values.set("timeout_ms", std::to_string(time.count()));
  }

  std::string password() const {
    if (syntax_ == Syntax::syslinux) return look_.syslinux_password.value_or("");
    return syntax_ == Syntax::grub ? look_.grub_password.value_or("") : "";
  }

  Values serial() const {
    Values values(Values::type::object);
    values.set("unit", std::to_string(*look_.console->unit));
    values.set("speed", std::to_string(look_.console->speed));
    return values;
  }

  Values entry(const Profile& profile, bool chosen) const {
    Values values(Values::type::object);
    values.set("label", label(profile.name));
    values.set("title", line(syntax_, profile.title));
    values.set("chosen", section(chosen));
    values.set("local", section(profile.kind == Profile::Kind::local));
    if (profile.kind == Profile::Kind::chain) values.set("chain", file(syntax_, profile.chain.filled(raw_)));
    if (profile.kind == Profile::Kind::kernel) kernel(profile, values);
    return values;
  }

  void kernel(const Profile& profile, Values& values) const {
    values.set("kernel", file(syntax_, profile.kernel.filled(raw_)));
    std::vector<std::string> files, extra;
    Values rows = list();
    for (const Pattern& initrd : profile.initrds) {
      files.push_back(file(syntax_, initrd.filled(raw_)));
      // A kernel started by UEFI finds the files by their names in iPXE's list.
      const std::string name = "initrd" + std::to_string(files.size() - 1) + ".img";
      if (syntax_ == Syntax::ipxe) extra.push_back("initrd=" + name);
      Values row(Values::type::object);
      row.set("initrd_name", name);
      row.set("initrd_file", files.back());
      rows << row;
    }
    values.set("initrd", rows);
    if (syntax_ == Syntax::extlinux && files.size() > 1) files.resize(1);  // U-Boot takes one
    set(values, "initrds", joined(files, syntax_ == Syntax::syslinux ? ',' : ' '));
    if (!profile.fdtdir.empty()) values.set("fdtdir", file(syntax_, profile.fdtdir.filled(raw_)));
    set(values, "args", joined(arguments(profile, std::move(extra)), ' '));
  }

  std::vector<std::string> arguments(const Profile& profile, std::vector<std::string> words) const {
    const auto add = [&](const std::vector<Pattern>& patterns) {
      for (const Pattern& pattern : patterns)
        words.push_back(argument(syntax_, pattern.filled(raw_)));
    };
    add(profile.args);
    for (const Wishes* wish : widest_first(client_))
      add(wish->args);
    if (look_.console) {
      const std::string console = argument(syntax_, "console=" + look_.console->text);
      if (std::find(words.begin(), words.end(), console) == words.end()) words.push_back(console);
    }
    return words;
  }

  Syntax syntax_;
  const Client& client_;
  const Profile& profile_;
  Look look_;
  Values raw_;
};

}  // namespace

Values client_values(const Client& client, const Profile& profile, const std::string& server) {
  Values values(Values::type::object);
  if (client.machine != nullptr) values.set("name", client.machine->name);
  set(values, "hostname", client.hostname());
  if (client.mac) {
    values.set("mac", kit::mac_text(*client.mac));
    values.set("mac_dashes", kit::mac_text(*client.mac, '-'));
    values.set("mac_plain", kit::mac_text(*client.mac, 0));
  }
  if (client.machine != nullptr && client.machine->uuid) values.set("uuid", uuid_text(*client.machine->uuid));
  if (client.ip) {
    values.set("ip", kit::ip_text(*client.ip));
    values.set("ip_hex", kit::ip_hex(*client.ip));
  }
  set(values, "server", server);
  values.set("profile", profile.name);
  if (!client.groups.empty()) values.set("group", client.groups.front()->name);
  set(values, "arch", client.arch());
  set_own(values, client);
  return values;
}

Values menu_values(Syntax syntax, const Client& client, const Profile& profile, const std::string& server) {
  return Menu(syntax, client, profile, server).values();
}

}  // namespace tftpkit::pxe
