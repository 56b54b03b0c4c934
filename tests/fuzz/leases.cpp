// Lease files of DHCP servers, torn and mixed as they may be.
#include "kit/leases.hpp"

#include "input.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;
using kit::LeaseFormat;

constexpr std::int64_t now = 1'795'390'000;

void check(std::string_view text, LeaseFormat format) {
  kit::Leases leases;
  kit::read_leases(text, format, leases);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  claim(leases.size() <= lines + text.size() / 8, "a lease takes some text");
  claim(leases.first_skipped() <= lines, "a line that was passed over is one of the file");
  claim((leases.skipped_count() == 0) == (leases.first_skipped() == 0), "what was passed over has a line");
  // What every test file speaks of.
  for (const char* text_of_ip : {"10.77.0.50", "10.77.0.53", "2001:db8::50"}) {
    const auto ip = kit::ip_from(text_of_ip);
    const auto* lease = leases.find(*ip, now);
    if (lease == nullptr) continue;
    claim(lease->ip == *ip && lease->expires > now - 1, "a lease that is found is the right one, and valid");
    claim(kit::mac_from(kit::mac_text(lease->mac)) == lease->mac, "an address that is written can be read");
    leases.remove(*ip);
    claim(leases.find(*ip, now) == nullptr, "what is removed is gone");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  for (const auto format : {LeaseFormat::automatic, LeaseFormat::dnsmasq, LeaseFormat::kea, LeaseFormat::isc})
    check(text, format);
  return 0;
}
