#include "kit/leases.hpp"

#include "kit/lease_lines.hpp"

#include <utility>

namespace tftpkit::kit {

void Leases::put(Lease lease) {
  const Ip ip = lease.ip;
  leases_.insert_or_assign(ip, std::move(lease));
}

void Leases::remove(const Ip& ip) {
  leases_.erase(ip);
}

const Lease* Leases::find(const Ip& ip, std::int64_t now) const {
  const auto found = leases_.find(ip);
  return found == leases_.end() || found->second.expires < now ? nullptr : &found->second;
}

void Leases::skipped(std::size_t line) {
  if (skipped_count_++ == 0) first_skipped_ = line;
}

LeaseFormat lease_format_of(std::string_view text) {
  if (text.starts_with("address,")) return LeaseFormat::kea;
  const bool has_block = text.find("\nlease ") != std::string_view::npos || text.starts_with("lease ");
  return has_block || text.starts_with("# The format of this file is documented in the dhcpd.leases")
             ? LeaseFormat::isc
             : LeaseFormat::dnsmasq;
}

void read_leases(std::string_view text, LeaseFormat format, Leases& leases) {
  switch (format == LeaseFormat::automatic ? lease_format_of(text) : format) {
  case LeaseFormat::kea: return read_kea_leases(text, leases);
  case LeaseFormat::isc: return read_isc_leases(text, leases);
  case LeaseFormat::dnsmasq:
  case LeaseFormat::automatic: return read_dnsmasq_leases(text, leases);
  }
}

std::optional<std::uint16_t> arch_of_vendor_class(std::string_view text) {
  constexpr std::string_view begin = "PXEClient:Arch:";
  if (!text.starts_with(begin)) return std::nullopt;
  text.remove_prefix(begin.size());
  const auto number = whole_number(text.substr(0, text.find(':')));
  if (!number || *number < 0 || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace tftpkit::kit
