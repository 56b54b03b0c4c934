#include "inventory.hpp"

#include "kit/hex.hpp"

#include <algorithm>

namespace tftpkit::pxe {
namespace {

template <class T>
void fill(std::optional<T>& value, const std::optional<T>& wider) {
  if (!value) value = wider;
}

template <class Pairs>
void narrowest_first(Pairs& pairs) {
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const auto& a, const auto& b) { return a.first.prefix_bits > b.first.prefix_bits; });
}

template <class Pairs>
auto exactly(const Pairs& pairs, const kit::Network& network) -> decltype(pairs.front().second) {
  for (const auto& [known, owner] : pairs)
    if (known == network) return owner;
  return nullptr;
}

}  // namespace

void Look::fill_from(const Look& wider) {
  fill(title, wider.title);
  fill(timeout, wider.timeout);
  fill(default_entry, wider.default_entry);
  fill(console, wider.console);
  fill(syslinux_password, wider.syslinux_password);
  fill(grub_password, wider.grub_password);
  fill(ui, wider.ui);
}

void Inventory::index() {
  for (const Machine& machine : machines) {
    for (const kit::Mac& mac : machine.macs)
      macs_.emplace(mac, &machine);
    if (machine.uuid) uuids_.emplace(*machine.uuid, &machine);
    for (const kit::Ip& ip : machine.ips)
      ips_.emplace(ip, &machine);
    for (const kit::Network& network : machine.networks)
      machine_networks_.emplace_back(network, &machine);
    hostnames_.emplace(kit::lower_case(machine.name), &machine);
    if (!machine.hostname.empty()) hostnames_.emplace(kit::lower_case(machine.hostname), &machine);
    if (!machine.serial.empty()) serials_.emplace(machine.serial, &machine);
  }
  for (const auto& [name, group] : groups) {
    for (const kit::Network& network : group.networks)
      group_networks_.emplace_back(network, &group);
    for (const kit::MacPrefix& prefix : group.macs)
      group_macs_.emplace_back(prefix, &group);
  }
  narrowest_first(machine_networks_);
  narrowest_first(group_networks_);
  std::stable_sort(group_macs_.begin(), group_macs_.end(),
                   [](const auto& a, const auto& b) { return a.first.digits > b.first.digits; });
}

const Machine* Inventory::by_uuid(const Uuid& uuid) const {
  const Machine* machine = in(uuids_, uuid);
  return machine != nullptr ? machine : in(uuids_, other_order(uuid));
}

const Machine* Inventory::by_ip(const kit::Ip& ip) const {
  if (const Machine* machine = in(ips_, ip)) return machine;
  for (const auto& [network, machine] : machine_networks_)
    if (network.holds(ip)) return machine;
  return nullptr;
}

const Machine* Inventory::by_network(const kit::Network& network) const {
  return exactly(machine_networks_, network);
}

const Machine* Inventory::by_hostname(std::string_view name) const {
  return in(hostnames_, kit::lower_case(name));
}

std::vector<const Group*> Inventory::groups_of(const kit::Ip& ip) const {
  std::vector<const Group*> found;
  for (const auto& [network, group] : group_networks_)
    if (network.holds(ip)) found.push_back(group);
  return found;
}

std::vector<const Group*> Inventory::groups_of(const kit::Mac& mac) const {
  std::vector<const Group*> found;
  for (const auto& [prefix, group] : group_macs_)
    if (prefix.holds(mac)) found.push_back(group);
  return found;
}

const Group* Inventory::group_by_network(const kit::Network& network) const {
  return exactly(group_networks_, network);
}

}  // namespace tftpkit::pxe
