#include "inventory_file.hpp"

#include "arch.hpp"
#include "arguments_text.hpp"
#include "config/nearest.hpp"
#include "config/network_text.hpp"
#include "config/object_reader.hpp"
#include "kit/json_file.hpp"
#include "look_text.hpp"
#include "syntax.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

namespace tftpkit::pxe {
namespace {

using config::in_quotes;
using config::Json;
using config::ObjectReader;
using config::Report;

// Reads file after file into one inventory; names are resolved when all are there.
class Reading {
 public:
  Reading(Inventory& inventory, bool can_remember) : inventory_(inventory), can_remember_(can_remember) {}

  void file(const std::filesystem::path& path);
  config::Problems finish();

 private:
  struct Reference {
    std::string name;
    Report* report;
    std::string pointer;
    const Profile** slot;
  };
  struct GroupReference {
    std::string name;
    Report* report;
    std::string pointer;
    Machine* machine;
  };

  using Section = void (Reading::*)(const std::string& name, const Json& value, const std::string& pointer);
  void section(ObjectReader& top, const std::string& key, Section each);
  bool good_name(const std::string& name, const std::string& pointer);

  void otherwise(ObjectReader& top);
  void profile(const std::string& name, const Json& value, const std::string& pointer);
  void profile_kind(ObjectReader& reader, Profile& profile, const std::string& pointer);
  void profile_menu(ObjectReader& reader, Profile& profile);
  void group(const std::string& name, const Json& value, const std::string& pointer);
  void machine(const std::string& name, const Json& value, const std::string& pointer);
  void identity(ObjectReader& reader, Machine& machine);
  void once(ObjectReader& reader, Machine& machine);
  void loader(const Json& value, const std::string& pointer);

  void wishes(ObjectReader& reader, Wishes& wishes);
  void values(ObjectReader& reader, Wishes& wishes);
  void networks(ObjectReader& reader, const std::string& key, std::vector<kit::Network>& into);
  void refer(const std::string& name, const std::string& pointer, const Profile** slot) {
    references_.push_back({name, report_, pointer, slot});
  }
  // Only one machine can have each of these.
  bool claim(const std::string& what, const std::string& pointer);

  void resolve_profiles();
  void resolve_groups();
  void check_menus();
  void check_look(const Wishes& wishes, const std::string& owner_pointer, Report& report);

  Inventory& inventory_;
  bool can_remember_;
  std::deque<Report> reports_;
  std::string file_;
  Report* report_ = nullptr;
  std::map<std::string, std::string> claimed_;  // what -> file and place
  std::vector<Reference> references_;
  std::vector<GroupReference> group_references_;
  std::vector<std::function<void()>> checks_;  // when all names are resolved
};

void Reading::file(const std::filesystem::path& path) {
  file_ = path.string();
  reports_.emplace_back(file_);
  report_ = &reports_.back();
  const auto document = kit::json_of_file(path, *report_);
  if (!document) return;
  ObjectReader top(*document, "", *report_);
  otherwise(top);
  section(top, "profiles", &Reading::profile);
  section(top, "groups", &Reading::group);
  section(top, "machines", &Reading::machine);
  top.array("loaders", [&](const Json& value, const std::string& pointer) { loader(value, pointer); });
  top.finish();
}

void Reading::section(ObjectReader& top, const std::string& key, Section each) {
  const Json* value = top.member(key);
  if (value == nullptr) return;
  const std::string pointer = top.pointer_of(key);
  if (!value->is_object()) {
    return report_->add(pointer,
                        {"expected an object, not " + config::shown(*value), "write { \"name\": { ... } }"});
  }
  for (const auto& [name, member] : value->items()) {
    const std::string place = config::below(pointer, name);
    if (!good_name(name, place)) continue;
    if (claim(key.substr(0, key.size() - 1) + " " + in_quotes(name), place))
      (this->*each)(name, member, place);
  }
}

bool Reading::good_name(const std::string& name, const std::string& pointer) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!name.empty() && name.size() <= 255 && std::none_of(name.begin(), name.end(), control)) return true;
  report_->add(pointer, {"this cannot be a name", "use 1 to 255 printable characters"});
  return false;
}

bool Reading::claim(const std::string& what, const std::string& pointer) {
  const auto [found, is_new] = claimed_.emplace(what, file_ + ": " + pointer);
  if (!is_new)
    report_->add(pointer,
                 {"the " + what + " is there twice, first in " + found->second, "remove one of the two"});
  return is_new;
}

void Reading::otherwise(ObjectReader& top) {
  const Json* value = top.member("default");
  if (value == nullptr) return;
  const std::string pointer = top.pointer_of("default");
  if (!claim("\"default\"", pointer)) return;
  inventory_.otherwise.emplace();
  if (value->is_string()) return refer(value->get<std::string>(), pointer, &inventory_.otherwise->profile);
  ObjectReader reader(*value, pointer, *report_);
  reader.require("profile", "\"profile\": \"menu\"");
  wishes(reader, *inventory_.otherwise);
  reader.finish();
}

void Reading::profile(const std::string& name, const Json& value, const std::string& pointer) {
  Profile& made = inventory_.profiles[name];
  made.name = name;
  claim("menu label " + in_quotes(label(name)), pointer);  // "a b" and "a_b" are one to a loader
  ObjectReader reader(value, pointer, *report_);
  made.title = read_line(reader, "title");
  if (made.title.empty()) made.title = name;
  made.kernel = read_path(reader, "kernel");
  reader.texts("initrd", [&](const std::string& text, const std::string& place) {
    made.initrds.push_back(path_from(text, place, *report_));
  });
  made.args = read_arguments(reader, "args");
  made.fdtdir = read_path(reader, "fdtdir");
  made.chain = read_path(reader, "chain");
  made.files = read_path(reader, "files");
  made.image = read_path(reader, "image");
  profile_menu(reader, made);
  if (value.is_object()) profile_kind(reader, made, pointer);
  reader.finish();
}

void Reading::profile_kind(ObjectReader& reader, Profile& profile, const std::string& pointer) {
  bool local = false;
  reader.flag("local", local);
  const std::vector<std::pair<std::string, Profile::Kind>> kinds = {{"kernel", Profile::Kind::kernel},
                                                                    {"chain", Profile::Kind::chain},
                                                                    {"local", Profile::Kind::local},
                                                                    {"menu", Profile::Kind::menu}};
  std::vector<std::string> given;
  for (const auto& [key, kind] : kinds) {
    if (reader.member(key) == nullptr) continue;
    given.push_back(key);
    profile.kind = kind;
  }
  const bool only_files = reader.member("files") != nullptr || reader.member("image") != nullptr;
  if (given.empty() && only_files) profile.kind = Profile::Kind::files;
  if (given.empty() && !only_files) {
    report_->add(pointer,
                 {"the profile boots nothing", "give it \"kernel\", \"chain\", \"menu\" or \"local\": true"});
  } else if (given.size() > 1) {
    report_->add(pointer, {config::quoted_list(given, "and") + " exclude each other",
                           "make a profile of each, and list them in the \"menu\" of a third"});
  }
  const bool kernel = profile.kind == Profile::Kind::kernel;
  for (const char* key : {"initrd", "args", "fdtdir"}) {
    if (given.size() == 1 && !kernel && reader.member(key) != nullptr)
      report_->add(reader.pointer_of(key),
                   {in_quotes(key) + " is for profiles with a \"kernel\"", "remove it"});
  }
  if (reader.member("local") != nullptr && reader.member("local")->is_boolean() && !local)
    report_->add(reader.pointer_of("local"), {"\"local\": false means nothing", "remove it, or write true"});
}

void Reading::profile_menu(ObjectReader& reader, Profile& profile) {
  std::vector<std::pair<std::string, std::string>> entries;
  reader.texts("menu",
               [&](const std::string& text, const std::string& place) { entries.emplace_back(text, place); });
  profile.menu.assign(entries.size(), nullptr);
  for (std::size_t i = 0; i < entries.size(); ++i)
    refer(entries[i].first, entries[i].second, &profile.menu[i]);
  const Json* menu = reader.member("menu");
  if (menu != nullptr && menu->is_array() && menu->empty())
    report_->add(reader.pointer_of("menu"), {"the menu is empty", "list at least one profile"});
  const std::string pointer = reader.pointer_of("menu");
  checks_.emplace_back([&profile, pointer, report = report_] {
    for (std::size_t i = 0; i < profile.menu.size(); ++i) {
      const Profile* entry = profile.menu[i];
      if (entry == nullptr) continue;
      if (entry->kind == Profile::Kind::menu)
        report->add(config::below(pointer, i),
                    {in_quotes(entry->name) + " is a menu itself", "list the profiles of that menu here"});
      if (entry->kind == Profile::Kind::files)
        report->add(config::below(pointer, i),
                    {in_quotes(entry->name) + " has nothing that a menu could start",
                     "give it a \"kernel\" or \"chain\", or remove it here"});
    }
  });
  if (const std::string text = read_line(reader, "default"); !text.empty()) {
    refer(text, reader.pointer_of("default"), &profile.menu_default);
    checks_.emplace_back([&profile, place = reader.pointer_of("default"), report = report_] {
      const auto& menu_entries = profile.menu;
      if (profile.menu_default == nullptr ||
          std::find(menu_entries.begin(), menu_entries.end(), profile.menu_default) != menu_entries.end())
        return;
      report->add(place,
                  {in_quotes(profile.menu_default->name) + " is not in this menu", "add it to \"menu\""});
    });
  }
}

void Reading::group(const std::string& name, const Json& value, const std::string& pointer) {
  Group& made = inventory_.groups[name];
  made.name = name;
  ObjectReader reader(value, pointer, *report_);
  wishes(reader, made);
  networks(reader, "networks", made.networks);
  reader.texts("macs", [&](const std::string& text, const std::string& place) {
    const auto prefix = kit::mac_prefix_from(text);
    if (prefix) return made.macs.push_back(*prefix);
    report_->add(place, {in_quotes(text) + " is not the beginning of a MAC address",
                         "write for example \"52:54:00\""});
  });
  reader.texts("with_tags", [&](const std::string& text, const std::string& /*place*/) {
    made.with_tags.push_back(text);
  });
  reader.finish();
}

void Reading::machine(const std::string& name, const Json& value, const std::string& pointer) {
  Machine& made = inventory_.machines.emplace_back();
  made.name = name;
  ObjectReader reader(value, pointer, *report_);
  identity(reader, made);
  wishes(reader, made);
  reader.texts("groups", [&](const std::string& text, const std::string& place) {
    group_references_.push_back({text, report_, place, &made});
  });
  once(reader, made);
  reader.finish();
  checks_.emplace_back([this, &made, pointer, report = report_] {
    if (made.profile == nullptr && made.groups.empty() && inventory_.groups.empty() && !inventory_.otherwise)
      report->add(pointer, {"the machine has no profile, no group, and there is no \"default\"",
                            "write for example \"profile\": \"debian12\""});
  });
}

void Reading::identity(ObjectReader& reader, Machine& machine) {
  reader.texts("mac", [&](const std::string& text, const std::string& place) {
    const auto mac = kit::mac_from(text);
    if (!mac)
      return report_->add(place, {in_quotes(text) + " is not a MAC address",
                                  "write six bytes in hexadecimal, for example \"52:54:00:ab:cd:01\""});
    claim("MAC address " + kit::mac_text(*mac), place);
    machine.macs.push_back(*mac);
  });
  std::string text;
  reader.text("uuid", text);
  machine.uuid = uuid_from(text);
  if (machine.uuid) claim("UUID " + uuid_text(*machine.uuid), reader.pointer_of("uuid"));
  if (!text.empty() && !machine.uuid)
    report_->add(reader.pointer_of("uuid"), {in_quotes(text) + " is not a UUID",
                                             "write it as \"12345678-9abc-def0-1122-334455667788\""});
  reader.texts("ip", [&](const std::string& ip_text, const std::string& place) {
    const auto ip = kit::ip_from(ip_text);
    if (!ip)
      return report_->add(place, {in_quotes(ip_text) + " is not an IP address",
                                  "write for example \"10.77.0.50\"; for networks there is \"network\""});
    claim("IP address " + kit::ip_text(*ip), place);
    machine.ips.push_back(*ip);
  });
  networks(reader, "network", machine.networks);
  for (const kit::Network& network : machine.networks)
    claim("network " + kit::network_text(network), reader.pointer_of("network"));
  machine.hostname = read_line(reader, "hostname");
  machine.serial = kit::lower_case(read_line(reader, "serial"));
  if (!machine.serial.empty())
    claim("serial number " + in_quotes(machine.serial), reader.pointer_of("serial"));
  const std::vector<std::pair<std::string, std::string>> words = {{"bios", "bios"},
                                                                  {"uefi-x64", "uefi-x64"},
                                                                  {"uefi-ia32", "uefi-ia32"},
                                                                  {"uefi-arm64", "uefi-arm64"},
                                                                  {"uefi-arm32", "uefi-arm32"}};
  reader.word<std::string>("arch", machine.arch, words);
}

void Reading::once(ObjectReader& reader, Machine& machine) {
  const Json* value = reader.member("once");
  if (value == nullptr) return;
  const std::string pointer = reader.pointer_of("once");
  machine.once.emplace();
  if (value->is_string()) {
    refer(value->get<std::string>(), pointer, &machine.once->profile);
  } else {
    ObjectReader own(*value, pointer, *report_);
    std::string name;
    if (own.require("profile", "\"profile\": \"install\"")) own.text("profile", name);
    if (!name.empty()) refer(name, own.pointer_of("profile"), &machine.once->profile);
    machine.once->id = read_line(own, "id");
    own.finish();
  }
  if (!can_remember_)
    report_->add(pointer, {"a one-shot boot has to be remembered, and the instance has no state file",
                           "add \"state\": \"pxe-state.json\" to the settings of the instance"});
}

void Reading::loader(const Json& value, const std::string& pointer) {
  ObjectReader reader(value, pointer, *report_);
  LoaderRule& rule = inventory_.loaders.emplace_back();
  reader.require("ask", "\"ask\": \"netboot\"");
  reader.texts("ask", [&](const std::string& text, const std::string& place) {
    try {
      rule.ask.emplace_back(text);
    } catch (const std::invalid_argument& error) {
      report_->add(place, {std::string(error.what()) + " (in " + in_quotes(text) + ")",
                           "write for example \"netboot\" or \"boot/*\""});
    }
  });
  networks(reader, "clients", rule.clients);
  reader.texts("arch", [&](const std::string& text, const std::string& place) {
    if (std::find(arch_words().begin(), arch_words().end(), text) != arch_words().end())
      return rule.arch.push_back(text);
    report_->add(place, {"no architecture is called " + in_quotes(text),
                         config::name_hint(text, arch_words(), "there are")});
  });
  if (reader.require("to", "\"to\": \"bios/pxelinux.0\"")) rule.to = read_path(reader, "to").text();
  reader.finish();
}

void Reading::wishes(ObjectReader& reader, Wishes& wishes) {
  std::string profile;
  reader.text("profile", profile);
  if (!profile.empty()) refer(profile, reader.pointer_of("profile"), &wishes.profile);
  wishes.args = read_arguments(reader, "args");
  values(reader, wishes);
  reader.texts("tags",
               [&](const std::string& text, const std::string& /*place*/) { wishes.tags.push_back(text); });
  wishes.look = read_look(reader);
  checks_.emplace_back([this, &wishes, place = config::below(reader.pointer_of("look"), "default"),
                        report = report_] { check_look(wishes, place, *report); });
}

void Reading::values(ObjectReader& reader, Wishes& wishes) {
  const Json* value = reader.member("values");
  if (value == nullptr) return;
  const std::string pointer = reader.pointer_of("values");
  if (!value->is_object())
    return report_->add(pointer,
                        {"expected an object, not " + config::shown(*value), "write { \"name\": \"text\" }"});
  for (const auto& [name, text] : value->items()) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const std::string place = config::below(pointer, name);
    if (name.empty() || name.find_first_not_of(allowed) != std::string::npos)
      report_->add(place,
                   {in_quotes(name) + " cannot be the name of a value", "use letters, digits and '_'"});
    if (text.is_string()) {
      wishes.values[name] = text.get<std::string>();
    } else {
      report_->add(place, {"expected a string, not " + config::shown(text), "put it in quotes"});
    }
  }
}

void Reading::networks(ObjectReader& reader, const std::string& key, std::vector<kit::Network>& into) {
  reader.texts(key, [&](const std::string& text, const std::string& place) {
    if (auto complaint = config::network_complaint(text)) return report_->add(place, std::move(*complaint));
    if (const auto network = kit::network_from(text)) into.push_back(*network);
  });
}

void Reading::resolve_profiles() {
  std::vector<std::string> names;
  for (const auto& [name, profile] : inventory_.profiles)
    names.push_back(name);
  for (const Reference& reference : references_) {
    const auto found = inventory_.profiles.find(reference.name);
    if (found != inventory_.profiles.end()) {
      *reference.slot = &found->second;
      continue;
    }
    const std::string hint =
        names.empty() ? "add it to \"profiles\"" : config::name_hint(reference.name, names, "there are");
    reference.report->add(reference.pointer, {"no profile is called " + in_quotes(reference.name), hint});
  }
}

void Reading::resolve_groups() {
  std::vector<std::string> names;
  std::map<std::string, std::vector<const Group*>> by_tag;
  for (const auto& [name, group] : inventory_.groups) {
    names.push_back(name);
    for (const std::string& tag : group.with_tags)
      by_tag[tag].push_back(&group);
  }
  for (const GroupReference& reference : group_references_) {
    const auto found = inventory_.groups.find(reference.name);
    if (found != inventory_.groups.end()) {
      reference.machine->groups.push_back(&found->second);
      continue;
    }
    const std::string hint =
        names.empty() ? "add it to \"groups\"" : config::name_hint(reference.name, names, "there are");
    reference.report->add(reference.pointer, {"no group is called " + in_quotes(reference.name), hint});
  }
  for (Machine& machine : inventory_.machines)
    for (const std::string& tag : machine.tags)
      if (const auto found = by_tag.find(tag); found != by_tag.end())
        machine.groups.insert(machine.groups.end(), found->second.begin(), found->second.end());
}

void Reading::check_look(const Wishes& wishes, const std::string& pointer, Report& report) {
  if (!wishes.look.default_entry) return;
  const auto found = inventory_.profiles.find(*wishes.look.default_entry);
  if (found == inventory_.profiles.end()) {
    std::vector<std::string> names;
    for (const auto& [name, profile] : inventory_.profiles)
      names.push_back(name);
    return report.add(pointer, {"no profile is called " + in_quotes(*wishes.look.default_entry),
                                config::name_hint(*wishes.look.default_entry, names, "there are")});
  }
  if (wishes.profile == nullptr || wishes.profile->kind != Profile::Kind::menu) return;
  const auto& menu = wishes.profile->menu;
  if (std::find(menu.begin(), menu.end(), &found->second) == menu.end())
    report.add(pointer, {in_quotes(found->first) + " is not in the menu " + in_quotes(wishes.profile->name),
                         "add it there, or choose one of its entries"});
}

config::Problems Reading::finish() {
  resolve_profiles();
  resolve_groups();
  for (const auto& check : checks_)
    check();
  config::Problems all;
  for (Report& report : reports_) {
    config::Problems some = report.take();
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return all;
}

}  // namespace

config::Checked<std::shared_ptr<const Inventory>> load_inventory(const std::filesystem::path& path,
                                                                 bool can_remember) {
  Report of_path(path.string());
  const auto files = kit::json_files(path, of_path);
  if (!of_path.empty()) return of_path.take();
  const auto inventory = std::make_shared<Inventory>();
  Reading reading(*inventory, can_remember);
  for (const std::filesystem::path& file : files)
    reading.file(file);
  config::Problems problems = reading.finish();
  if (!problems.empty()) return problems;
  inventory->index();
  return std::shared_ptr<const Inventory>(inventory);
}

}  // namespace tftpkit::pxe
