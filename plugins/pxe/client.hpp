// Who asks, and what the inventory wishes for it: from a name, the peer's address, the neighbour table and
// the leases to one machine or group. Values that live for one request; the inventory outlives them.
#pragma once

#include "asked.hpp"
#include "inventory.hpp"
#include "kit/leases.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tftpkit::pxe {

// What is known of the sender beside the name. The neighbour table is asked only when it is needed.
struct Sender {
  std::optional<kit::Ip> ip;
  std::function<std::optional<kit::Mac>()> neighbour;
  std::vector<std::shared_ptr<const kit::Leases>> leases;
  std::int64_t now = 0;  // seconds since 1970

  [[nodiscard]] const kit::Lease* lease_of(const kit::Ip& ip) const;
};

struct Client {
  const Machine* machine = nullptr;
  std::vector<const Group*> groups;  // narrowest first
  const Wishes* otherwise = nullptr;
  std::optional<kit::Mac> mac;
  std::optional<kit::Ip> ip;
  const kit::Lease* lease = nullptr;

  [[nodiscard]] std::string hostname() const;
  [[nodiscard]] std::string arch() const;
  // The wishes of machine, groups and default, in this order.
  [[nodiscard]] std::vector<const Wishes*> wishes() const;
  [[nodiscard]] const Profile* profile() const;
};

// nullopt: nobody is known by this key; `why` then says so.
[[nodiscard]] std::optional<Client> client_of(const Asked& asked, const Sender& sender,
                                              const Inventory& inventory, std::string& why);

// Who sends, whatever the name: for names that say nothing.
[[nodiscard]] Client client_of(const Sender& sender, const Inventory& inventory);

}  // namespace tftpkit::pxe
