// Lease files of DHCP servers: which MAC has which address now, and what else the server wrote down. Text in,
// values out; reading the file is somebody else's business. Hostnames in it were chosen by the clients.
#pragma once

#include "kit/ip.hpp"
#include "kit/mac.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tftpkit::kit {

struct Lease {
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  Ip ip;
  Mac mac;
  std::string hostname;               // as the client gave it: any bytes; empty when unknown
  std::string vendor_class;           // ISC, when its configuration stores it
  std::optional<std::uint16_t> arch;  // from "PXEClient:Arch:00007:...": the number of RFC 4578
  std::int64_t expires = never;       // seconds since 1970
};

enum class LeaseFormat { automatic, dnsmasq, kea, isc };

// All leases of one server. What comes later about an address replaces what came before.
class Leases {
 public:
  void put(Lease lease);
  void remove(const Ip& ip);
  // nullptr: unknown, or expired at `now`.
  [[nodiscard]] const Lease* find(const Ip& ip, std::int64_t now) const;
  [[nodiscard]] std::size_t size() const noexcept { return leases_.size(); }

  // Lines or entries that are none, for the log. The last line of a file that is being written does not
  // count.
  void skipped(std::size_t line);
  [[nodiscard]] std::size_t skipped_count() const noexcept { return skipped_count_; }
  [[nodiscard]] std::size_t first_skipped() const noexcept { return first_skipped_; }

 private:
  std::unordered_map<Ip, Lease> leases_;
  std::size_t skipped_count_ = 0;
  std::size_t first_skipped_ = 0;
};

// What the text looks like: kea begins with its header, ISC has "lease ... {" blocks, all else is dnsmasq's.
[[nodiscard]] LeaseFormat lease_format_of(std::string_view text);

// Adds what the text says to `leases`, in its order.
void read_leases(std::string_view text, LeaseFormat format, Leases& leases);

// One format each: dnsmasq `expiry mac ip name client-id`, Kea's memfile CSV, ISC dhcpd.leases(5).
void read_dnsmasq_leases(std::string_view text, Leases& leases);
void read_kea_leases(std::string_view text, Leases& leases);
void read_isc_leases(std::string_view text, Leases& leases);

// "PXEClient:Arch:00007:UNDI:003016" -> 7
[[nodiscard]] std::optional<std::uint16_t> arch_of_vendor_class(std::string_view text);

}  // namespace tftpkit::kit
