#include "client.hpp"

#include "arch.hpp"

#include <algorithm>

namespace tftpkit::pxe {
namespace {

void add_groups(std::vector<const Group*>& groups, const std::vector<const Group*>& more) {
  for (const Group* group : more)
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
}

// The groups of a client whose machine, addresses and MAC are settled.
void find_groups(Client& client, const Inventory& inventory) {
  if (client.machine != nullptr) add_groups(client.groups, client.machine->groups);
  if (client.mac) add_groups(client.groups, inventory.groups_of(*client.mac));
  if (client.ip) add_groups(client.groups, inventory.groups_of(*client.ip));
}

void take_machine(Client& client, const Machine* machine) {
  client.machine = machine;
  if (machine == nullptr) return;
  if (!client.mac && !machine->macs.empty()) client.mac = machine->macs.front();
  if (!client.ip && !machine->ips.empty()) client.ip = machine->ips.front();
}

// A client that is known by an address: its lease may tell the MAC.
void take_address(Client& client, const kit::Ip& ip, const Sender& sender, const Inventory& inventory) {
  client.ip = ip;
  client.lease = sender.lease_of(ip);
  if (!client.mac && client.lease != nullptr) client.mac = client.lease->mac;
  const Machine* machine = client.mac ? inventory.by_mac(*client.mac) : nullptr;
  take_machine(client, machine != nullptr ? machine : inventory.by_ip(ip));
}

Client known_machine(const Machine& machine, const Asked& asked, const Sender& sender) {
  Client client;
  client.mac = asked.mac;
  take_machine(client, &machine);
  if (!client.ip) client.ip = sender.ip;
  if (client.ip) client.lease = sender.lease_of(*client.ip);
  return client;
}

std::optional<Client> by_mac(const Asked& asked, const Sender& sender, const Inventory& inventory) {
  if (!asked.mac) return std::nullopt;
  if (const Machine* machine = inventory.by_mac(*asked.mac)) return known_machine(*machine, asked, sender);
  Client client;
  client.mac = asked.mac;
  client.groups = inventory.groups_of(*asked.mac);
  client.ip = sender.ip;
  if (client.groups.empty()) return std::nullopt;
  return client;
}

std::optional<Client> by_ip(const kit::Network& network, const Sender& sender, const Inventory& inventory) {
  Client client;
  if (network.prefix_bits == network.first.bits()) {
    take_address(client, network.first, sender, inventory);
    find_groups(client, inventory);
    if (client.machine == nullptr && client.groups.empty()) return std::nullopt;
    return client;
  }
  // A shortened address stands for nobody, unless it is exactly a network that somebody wrote down.
  take_machine(client, inventory.by_network(network));
  if (const Group* group = inventory.group_by_network(network)) client.groups.push_back(group);
  if (client.machine == nullptr && client.groups.empty()) return std::nullopt;
  client.ip = sender.ip;
  return client;
}

std::optional<Client> by_key(const Asked& asked, const Sender& sender, const Inventory& inventory) {
  const auto machine = [&](const Machine* found) {
    return found == nullptr ? std::nullopt : std::optional(known_machine(*found, asked, sender));
  };
  switch (asked.by) {
  case By::mac: return by_mac(asked, sender, inventory);
  case By::uuid: return machine(inventory.by_uuid(*asked.uuid));
  case By::ip: return by_ip(asked.network, sender, inventory);
  case By::hostname: return machine(inventory.by_hostname(asked.word));
  case By::serial: return machine(inventory.by_serial(asked.word));
  case By::nobody: break;
  }
  return client_of(sender, inventory);
}

std::string key_text(const Asked& asked) {
  switch (asked.by) {
  case By::mac: return "the MAC address " + asked.link_address;
  case By::uuid: return "the UUID " + uuid_text(*asked.uuid);
  case By::ip: return "the address " + kit::network_text(asked.network);
  case By::hostname: return "the name \"" + asked.word + "\"";
  case By::serial: return "the serial number " + asked.word;
  case By::nobody: break;
  }
  return "this address";
}

}  // namespace

const kit::Lease* Sender::lease_of(const kit::Ip& address) const {
  for (const auto& file : leases)
    if (const kit::Lease* lease = file->find(address, now)) return lease;
  return nullptr;
}

std::string Client::hostname() const {
  if (machine != nullptr) return machine->hostname.empty() ? machine->name : machine->hostname;
  return lease == nullptr ? "" : lease->hostname;
}

std::string Client::arch() const {
  if (machine != nullptr && !machine->arch.empty()) return machine->arch;
  return lease != nullptr && lease->arch ? arch_of_number(*lease->arch) : "";
}

std::vector<const Wishes*> Client::wishes() const {
  std::vector<const Wishes*> all;
  if (machine != nullptr) all.push_back(machine);
  all.insert(all.end(), groups.begin(), groups.end());
  if (otherwise != nullptr) all.push_back(otherwise);
  return all;
}

const Profile* Client::profile() const {
  for (const Wishes* wish : wishes())
    if (wish->profile != nullptr) return wish->profile;
  return nullptr;
}

Client client_of(const Sender& sender, const Inventory& inventory) {
  Client client;
  client.mac = sender.neighbour ? sender.neighbour() : std::nullopt;
  if (sender.ip) take_address(client, *sender.ip, sender, inventory);
  find_groups(client, inventory);
  client.otherwise = inventory.otherwise ? &*inventory.otherwise : nullptr;
  return client;
}

std::optional<Client> client_of(const Asked& asked, const Sender& sender, const Inventory& inventory,
                                std::string& why) {
  auto client = by_key(asked, sender, inventory);
  if (!client) {
    why = "nobody in the inventory has " + key_text(asked);
    return client;
  }
  find_groups(*client, inventory);
  client->otherwise = inventory.otherwise ? &*inventory.otherwise : nullptr;
  return client;
}

}  // namespace tftpkit::pxe
