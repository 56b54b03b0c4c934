// The inventory as a value: machines, groups, profiles and loader rules, and who is who. Immutable once
// loaded and shared by every request. Knows nothing of files, JSON and requests.
#pragma once

#include "config/glob.hpp"
#include "kit/ip.hpp"
#include "kit/mac.hpp"
#include "pattern.hpp"
#include "uuid.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tftpkit::pxe {

// A console on a serial line, as the kernel is told: ttyS0, ttyS1,115200n8, ttyAMA0.
struct Console {
  std::string text;              // what stands behind "console="
  std::optional<unsigned> unit;  // of ttyS: the number that boot loaders know it by
  unsigned speed = 115200;
};

// How menus look. What is not said is left to the next wider: machine, groups, default.
struct Look {
  std::optional<std::string> title;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::string> default_entry;  // a profile of the menu
  std::optional<Console> console;
  std::optional<std::string> syslinux_password;
  std::optional<std::string> grub_password;
  std::optional<std::string> ui;  // PXELINUX's menu program

  // Takes over what is not said here.
  void fill_from(const Look& wider);
};

struct Profile {
  enum class Kind { kernel, chain, local, menu, files };

  std::string name;
  std::string title;
  Kind kind = Kind::local;
  Pattern kernel;
  std::vector<Pattern> initrds;
  std::vector<Pattern> args;
  Pattern fdtdir;                    // U-Boot
  Pattern chain;                     // a loader or UKI
  Pattern files;                     // directory that stands for the machine's own (Raspberry Pi)
  Pattern image;                     // for a U-Boot that was told no name
  std::vector<const Profile*> menu;  // none of them a menu
  const Profile* menu_default = nullptr;
};

// What machines, groups and the default have in common.
struct Wishes {
  const Profile* profile = nullptr;
  std::vector<Pattern> args;
  std::map<std::string, std::string> values;
  std::vector<std::string> tags;
  Look look;
};

struct Group : Wishes {
  std::string name;
  std::vector<kit::Network> networks;
  std::vector<kit::MacPrefix> macs;
  std::vector<std::string> with_tags;
};

struct Once {
  const Profile* profile = nullptr;
  std::string id;  // another one arms it again
};

struct Machine : Wishes {
  std::string name;
  std::string hostname;
  std::vector<kit::Mac> macs;
  std::optional<Uuid> uuid;
  std::vector<kit::Ip> ips;
  std::vector<kit::Network> networks;
  std::string serial;
  std::string arch;
  std::vector<const Group*> groups;  // that it names itself
  std::optional<Once> once;
};

// The first file for a machine whose loader is not running yet.
struct LoaderRule {
  std::vector<config::Glob> ask;
  std::vector<kit::Network> clients;  // none: everybody
  std::vector<std::string> arch;      // none: every one
  std::string to;
};

class Inventory {
 public:
  Inventory() = default;
  Inventory(const Inventory&) = delete;
  Inventory& operator=(const Inventory&) = delete;

  [[nodiscard]] const Machine* by_mac(const kit::Mac& mac) const { return in(macs_, mac); }
  // In either order of its bytes; the one as written goes first.
  [[nodiscard]] const Machine* by_uuid(const Uuid& uuid) const;
  [[nodiscard]] const Machine* by_ip(const kit::Ip& ip) const;
  [[nodiscard]] const Machine* by_network(const kit::Network& network) const;  // exactly this one
  [[nodiscard]] const Machine* by_hostname(std::string_view name) const;       // case does not count
  [[nodiscard]] const Machine* by_serial(const std::string& serial) const { return in(serials_, serial); }

  // Groups that hold the address, the narrowest network first; those that hold the MAC, the longest prefix
  // first.
  [[nodiscard]] std::vector<const Group*> groups_of(const kit::Ip& ip) const;
  [[nodiscard]] std::vector<const Group*> groups_of(const kit::Mac& mac) const;
  [[nodiscard]] const Group* group_by_network(const kit::Network& network) const;  // exactly this one

  // Filled by the reader; index() makes the look-ups and is called once, at the end.
  std::map<std::string, Profile> profiles;
  std::map<std::string, Group> groups;
  std::deque<Machine> machines;
  std::optional<Wishes> otherwise;  // "default"
  std::vector<LoaderRule> loaders;
  void index();

 private:
  template <class Map, class Key>
  static const Machine* in(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
  }

  std::unordered_map<kit::Mac, const Machine*> macs_;
  std::map<Uuid, const Machine*> uuids_;
  std::unordered_map<kit::Ip, const Machine*> ips_;
  std::unordered_map<std::string, const Machine*> hostnames_;
  std::unordered_map<std::string, const Machine*> serials_;
  std::vector<std::pair<kit::Network, const Machine*>> machine_networks_;  // narrowest first
  std::vector<std::pair<kit::Network, const Group*>> group_networks_;      // narrowest first
  std::vector<std::pair<kit::MacPrefix, const Group*>> group_macs_;        // longest first
};

}  // namespace tftpkit::pxe
