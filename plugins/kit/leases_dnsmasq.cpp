// dnsmasq: one line for each lease, the whole file written anew at every change.
#include "kit/lease_lines.hpp"
#include "kit/leases.hpp"

namespace tftpkit::kit {
namespace {

constexpr std::size_t least_fields = 4;

// "06-00:11:..." for anything but Ethernet: not for us.
std::optional<Lease> lease_of(const std::vector<std::string_view>& fields) {
  const auto expires = whole_number(fields[0]);
  const auto mac = mac_from(fields[1]);
  const auto ip = ip_from(fields[2]);
  if (!expires || !mac || !ip) return std::nullopt;
  Lease lease;
  lease.ip = *ip;
  lease.mac = *mac;
  if (fields[3] != "*") lease.hostname = fields[3];
  lease.expires = *expires == 0 ? Lease::never : *expires;
  return lease;
}

// What a line is that holds a lease without an Ethernet address: IPv6, Infiniband.
bool is_other_lease(const std::vector<std::string_view>& fields) {
  return whole_number(fields[0]) && ip_from(fields[2]);
}

}  // namespace

void read_dnsmasq_leases(std::string_view text, Leases& leases) {
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (line.empty() || line.starts_with("duid ")) return;
    const auto fields = fields_of(line, ' ');
    if (fields.size() < least_fields) return leases.skipped(number);
    if (auto lease = lease_of(fields)) {
      leases.put(std::move(*lease));
    } else if (!is_other_lease(fields)) {
      leases.skipped(number);
    }
  });
}

}  // namespace tftpkit::kit
