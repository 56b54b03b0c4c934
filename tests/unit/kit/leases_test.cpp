// Lease files of the three servers, as they write them and as they look half-way.
#include "kit/leases.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::kit;

namespace {

constexpr std::int64_t now = 1'795'390'000;

Leases leases_of(std::string_view text, LeaseFormat format = LeaseFormat::automatic) {
  Leases leases;
  read_leases(text, format, leases);
  return leases;
}

std::string mac_of(const Leases& leases, const char* ip, std::int64_t at = now) {
  const Lease* lease = leases.find(*ip_from(ip), at);
  return lease == nullptr ? "" : mac_text(lease->mac);
}

constexpr std::string_view kea_header = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,"
                                        "fqdn_rev,hostname,state,user_context\n";

std::string kea(std::string_view rows) {
  return std::string(kea_header) + std::string(rows);
}

}  // namespace

TEST_CASE("dnsmasq: leases with their names, IPv6 and other hardware passed over") {
  const Leases leases = leases_of("1795391055 52:54:00:ab:cd:01 10.77.0.50 web1 01:52:54:00:ab:cd:01\n"
                                  "0 52:54:00:ab:cd:02 10.77.0.51 * *\n"
                                  "1795391055 06-00:00:00:00:00:00:00:01 10.77.0.52 ib *\n"
                                  "duid 00:01:00:01:32:96:2c:b9:d2:43:b0:6d:61:7b\n"
                                  "1795391055 11189196 2001:db8::50 * 00:01:00:01:2a\n"
                                  "1795391055 52:54:00:ab:cd:03 10.77.0.5");
  CHECK(leases.size() == 2);
  CHECK(leases.skipped_count() == 0);  // the last line is still being written
  CHECK(mac_of(leases, "10.77.0.50") == "52:54:00:ab:cd:01");
  CHECK(leases.find(*ip_from("10.77.0.50"), now)->hostname == "web1");
  CHECK(leases.find(*ip_from("10.77.0.51"), now)->hostname.empty());
  CHECK(mac_of(leases, "10.77.0.50", 1'795'391'056).empty());
  CHECK(mac_of(leases, "10.77.0.51", 4'000'000'000) == "52:54:00:ab:cd:02");
}

TEST_CASE("dnsmasq: a line that is no lease is counted, and the others serve") {
  const Leases leases = leases_of(
      "what is this\n1795391055 52:54:00:ab:cd:01 10.77.0.50 * *\nx y 10.0.0.1 z\n", LeaseFormat::dnsmasq);
  CHECK(leases.size() == 1);
  CHECK(leases.skipped_count() == 2);
  CHECK(leases.first_skipped() == 1);
}

TEST_CASE("Kea: the last row of an address wins, whatever it says") {
  const std::string first = "10.77.0.53,52:54:00:ab:cd:01,,3600,1795391168,1,0,0,old,0,\n";
  CHECK(mac_of(leases_of(kea(first)), "10.77.0.53") == "52:54:00:ab:cd:01");
  CHECK(mac_of(leases_of(kea(first + "10.77.0.53,52:54:00:ab:cd:09,,3600,1795391168,1,0,0,,0,\n")),
               "10.77.0.53") == "52:54:00:ab:cd:09");
  CHECK(leases_of(kea(first + "10.77.0.53,52:54:00:ab:cd:01,,0,1795391168,1,0,0,,0,\n")).size() == 0);
  CHECK(leases_of(kea(first + "10.77.0.53,52:54:00:ab:cd:01,,3600,1795391168,1,0,0,,2,\n")).size() == 0);
  CHECK(leases_of(kea(first + "10.77.0.53,,,3600,1795391168,1,0,0,,1,\n")).size() == 0);
}

TEST_CASE("Kea: columns by their names, infinite lifetimes, commas within a name") {
  const Leases leases =
      leases_of("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,"
                "hostname,state,user_context,pool_id\n"
                "10.0.0.1,52:54:00:00:00:01,,4294967295,4,1,0,0,a&#x2cb,0,,0\n"
                "10.0.0.2,52:54:00:00:00:02,,3600,1795391168,1,0,0,b,0,,0\n"
                "10.0.0.3,52:54:00:00:00:03,,36");
  CHECK(leases.size() == 2);
  CHECK(leases.find(*ip_from("10.0.0.1"), 4'000'000'000)->hostname == "a,b");
  CHECK(mac_of(leases, "10.0.0.2", 1'795'391'169).empty());
  CHECK(leases_of("address,hwaddr\n10.0.0.1,52:54:00:00:00:01\n").skipped_count() == 2);
}

TEST_CASE("ISC: the last block of an address wins, strings are made plain, the architecture is read") {
  const std::string text = R"(# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\000\001\000\0012\226,\301~H*\221\246\001";
failover peer "x" state { my state normal at 0 2026/11/22 22:44:23; }
lease 10.77.0.50 {
  starts 0 2026/11/22 22:44:23;
  ends 1 2026/11/23 23:44:23;
  binding state active;
  next binding state free;
  hardware ethernet 52:54:00:ab:cd:01;
  uid "\001RT\000\253\315\001}";
  client-hostname "we\"b;1";
  set vendor-class-identifier = "PXEClient:Arch:00007:UNDI:003016";
  on expiry { set a = "}"; }
}
lease 10.77.0.51 { ends never; hardware ethernet 52:54:00:ab:cd:02; }
lease 10.77.0.52 { binding state free; hardware ethernet 52:54:00:ab:cd:03; }
)";
  const Leases leases = leases_of(text);
  CHECK(leases.size() == 2);
  const Lease* lease = leases.find(*ip_from("10.77.0.50"), 1'795'477'463);
  REQUIRE(lease != nullptr);
  CHECK(lease->hostname == "we\"b;1");
  CHECK(lease->arch == 7);
  CHECK(lease->expires == 1'795'477'463);  // 2026-11-23 23:44:23 UTC
  CHECK(mac_of(leases, "10.77.0.51", 4'000'000'000) == "52:54:00:ab:cd:02");

  CHECK(leases_of(text + "lease 10.77.0.50 {\n  binding state free;\n}\n").size() == 1);
  CHECK(mac_of(leases_of(text + "lease 10.77.0.50 { hardware ethernet 52:54:00:ab:cd:0"), "10.77.0.50") ==
        "52:54:00:ab:cd:01");
  CHECK(mac_of(leases_of(text + "lease 10.77.0.50 { ends epoch 1795391063; hardware ethernet "
                                "52:54:00:ab:cd:07; }\n"),
               "10.77.0.50") == "52:54:00:ab:cd:07");
}

TEST_CASE("the architecture stands in the vendor class of a PXE client only") {
  CHECK(arch_of_vendor_class("PXEClient:Arch:00000:UNDI:002001") == 0);
  CHECK(arch_of_vendor_class("PXEClient:Arch:00011") == 11);
  CHECK_FALSE(arch_of_vendor_class("PXEClient"));
  CHECK_FALSE(arch_of_vendor_class("PXEClient:Arch:99999999:"));
  CHECK_FALSE(arch_of_vendor_class("HTTPClient:Arch:00016"));
}
