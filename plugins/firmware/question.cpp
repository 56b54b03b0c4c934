#include "firmware/question.hpp"

#include "kit/hex.hpp"

#include <algorithm>
#include <array>

namespace tftpkit::firmware {
namespace {

// "000000000000.cfg" is what every Polycom phone asks for: zeros and ones are nobody's address.
std::optional<kit::Mac> mac_of_somebody(std::string_view text) {
  const auto mac = kit::mac_from(text);
  if (!mac) return std::nullopt;
  const auto all = [&](std::uint8_t byte) {
    return std::all_of(mac->bytes.begin(), mac->bytes.end(), [&](std::uint8_t one) { return one == byte; });
  };
  return all(0x00) || all(0xff) ? std::nullopt : mac;
}

// What the name says of the device itself.
struct Claims {
  std::optional<kit::Mac> mac;
  std::string serial, uuid, hostname;

  [[nodiscard]] bool any() const { return mac || !serial.empty() || !uuid.empty() || !hostname.empty(); }
};

Claims claims_in(const Values& in_name) {
  const auto text = [&](std::string_view name) {
    const auto at = in_name.find(name);
    return at == in_name.end() ? std::string() : at->second;
  };
  return {mac_of_somebody(text("mac")), text("serial"), kit::lower_case(text("uuid")), text("hostname")};
}

const Device* claimed(const Claims& claims, const Inventory& inventory) {
  if (claims.mac)
    if (const Device* device = inventory.by_mac(*claims.mac)) return device;
  if (!claims.serial.empty())
    if (const Device* device = inventory.by_serial(claims.serial)) return device;
  if (!claims.uuid.empty())
    if (const Device* device = inventory.by_uuid(claims.uuid)) return device;
  return claims.hostname.empty() ? nullptr : inventory.by_hostname(claims.hostname);
}

bool contradicts(const Claims& claims, const Device& device) {
  const auto other = [](const std::string& said, const std::string& known) {
    return !said.empty() && !known.empty() && kit::lower_case(said) != kit::lower_case(known);
  };
  return (claims.mac && device.mac && *claims.mac != *device.mac) || other(claims.serial, device.serial) ||
         other(claims.uuid, device.uuid) || other(claims.hostname, device.hostname);
}

// Walks the sources from the strongest to the weakest. What each says binds the weaker ones.
class Search {
 public:
  Search(const Inventory& inventory, Claims claims) : inventory_(inventory), claims_(std::move(claims)) {}

  void name() {
    if (claims_.any()) offer(Source::name, claimed(claims_, inventory_));
  }
  void mac(Source source, const std::optional<kit::Mac>& mac) {
    if (!mac) return;
    offer(source, inventory_.by_mac(*mac));
    if (!claims_.mac) claims_.mac = mac;
  }
  void address(const std::optional<kit::Ip>& ip) {
    if (ip) offer(Source::address, inventory_.by_ip(*ip));
  }
  [[nodiscard]] Source source() const { return known_ != Source::nobody ? known_ : heard_; }
  [[nodiscard]] const Device* device() const { return device_; }
  [[nodiscard]] const std::optional<kit::Mac>& said_mac() const { return claims_.mac; }

 private:
  void offer(Source source, const Device* device) {
    if (heard_ == Source::nobody) heard_ = source;
    if (device_ != nullptr || device == nullptr || contradicts(claims_, *device)) return;
    device_ = device;
    known_ = source;
  }

  const Inventory& inventory_;
  Claims claims_;
  const Device* device_ = nullptr;
  Source known_ = Source::nobody;
  Source heard_ = Source::nobody;  // the strongest that said anything
};

void add_missing(Values& values, std::string_view name, const std::string& text) {
  if (!text.empty() && values.find(name) == values.end()) values.emplace(name, text);
}

void add_device(Values& values, const Device& device) {
  const std::array<std::pair<std::string_view, const std::string*>, 7> texts = {
      {{"serial", &device.serial},
       {"uuid", &device.uuid},
       {"vendor", &device.vendor},
       {"model", &device.model},
       {"hostname", &device.hostname},
       {"group", &device.group},
       {"version", &device.version}}};
  for (const auto& [name, text] : texts)
    add_missing(values, name, *text);
  for (const auto& [name, text] : device.more)
    add_missing(values, name, text);
}

}  // namespace

std::string_view source_text(Source source) noexcept {
  switch (source) {
  case Source::name: return "name";
  case Source::neighbour: return "neighbour";
  case Source::lease: return "lease";
  case Source::address: return "address";
  case Source::nobody: break;
  }
  return "nobody";
}

std::string Identity::text() const {
  if (mac) return kit::mac_text(*mac);
  for (const char* name : {"serial", "uuid"})
    if (const auto found = value(name); !found.empty()) return std::string(found);
  return ip ? kit::ip_text(*ip) : std::string();
}

Identity identified(const Question& question, const Values& in_name, const Values& in_options,
                    const Inventory& inventory) {
  Search search(inventory, claims_in(in_name));
  search.name();
  search.mac(Source::neighbour, question.neighbour);
  search.mac(Source::lease, question.lease);
  search.address(question.peer);

  Identity identity;
  identity.source = search.source();
  identity.device = search.device();
  identity.ip = question.peer;
  identity.mac =
      identity.device != nullptr && identity.device->mac ? identity.device->mac : search.said_mac();
  for (const Values* values : {&in_name, &in_options})
    for (const auto& [name, text] : *values)
      add_missing(identity.values, name, text);
  if (identity.device != nullptr) add_device(identity.values, *identity.device);
  identity.values.erase("mac");  // it has a place of its own
  return identity;
}

}  // namespace tftpkit::firmware
