// MAC addresses, vendor prefixes, IP addresses and networks: spellings in, values out.
#include "kit/ip.hpp"
#include "kit/mac.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tftpkit::kit;

TEST_CASE("a MAC is read in every spelling and comes out in the one that is asked for") {
  for (const char* text : {"52:54:00:ab:cd:01", "52-54-00-AB-CD-01", "525400abcd01", "525400ABCD01",
                           "5254.00ab.cd01", "52:54:00:aB:Cd:01"}) {
    CAPTURE(text);
    const auto mac = mac_from(text);
    REQUIRE(mac);
    CHECK(mac_text(*mac) == "52:54:00:ab:cd:01");
    CHECK(mac_text(*mac, '-', Case::upper) == "52-54-00-AB-CD-01");
    CHECK(mac_text(*mac, 0) == "525400abcd01");
  }
}

TEST_CASE("what is nearly a MAC is none") {
  for (const char* text :
       {"", "52:54:00:ab:cd", "52:54:00:ab:cd:01:02", "52:54:00:gg:cd:01", "52-54:00-ab:cd-01",
        "52:54:00:ab:cd:01:", ":52:54:00:ab:cd:01", "5:254:00:ab:cd:01", "525400abcd0", "525400abcd012",
        " 525400abcd01", "52 54 00 ab cd 01", "5254.00ab.cd.01"}) {
    CAPTURE(text);
    CHECK_FALSE(mac_from(text));
  }
}

TEST_CASE("a vendor prefix holds the addresses that begin with it, digit by digit") {
  const auto oui = mac_prefix_from("64:16:7F");
  REQUIRE(oui);
  CHECK(oui->digits == 6);
  CHECK(oui->holds(*mac_from("64167f001122")));
  CHECK_FALSE(oui->holds(*mac_from("64167e001122")));
  const auto small = mac_prefix_from("70b3d5123");
  REQUIRE(small);
  CHECK(small->holds(*mac_from("70:b3:d5:12:3f:ff")));
  CHECK_FALSE(small->holds(*mac_from("70:b3:d5:12:4f:ff")));
  CHECK_FALSE(mac_prefix_from(""));
  CHECK_FALSE(mac_prefix_from("64:16:7f:00:11:22:33"));
  CHECK_FALSE(mac_prefix_from("64:16:xx"));
}

TEST_CASE("an IPv4-mapped address is IPv4") {
  CHECK(ip_text(*ip_from("::ffff:10.0.0.5")) == "10.0.0.5");
  tftpkit_addr peer{};
  peer.family = 6;
  const auto mapped = std::to_array<std::uint8_t>({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 5});
  std::copy(mapped.begin(), mapped.end(), peer.bytes);
  CHECK(ip_hex(*ip_of(peer)) == "0A000005");
  peer.family = 0;
  CHECK_FALSE(ip_of(peer));
}

TEST_CASE("a network holds its addresses and no others") {
  const auto network = network_from("10.77.8.0/24");
  REQUIRE(network);
  CHECK(network->holds(*ip_from("10.77.8.255")));
  CHECK_FALSE(network->holds(*ip_from("10.77.9.0")));
  CHECK_FALSE(network->holds(*ip_from("2001:db8::1")));
  CHECK(network_from("0.0.0.0/0")->holds(*ip_from("255.1.2.3")));
  CHECK(network_from("2001:db8::/33")->holds(*ip_from("2001:db8:7fff::1")));
  CHECK_FALSE(network_from("2001:db8::/33")->holds(*ip_from("2001:db8:8000::1")));
  CHECK(network_from("10.0.0.5")->prefix_bits == 32);
  for (const char* wrong : {"10.77.8.1/24", "10.77.8.0/33", "10.77.8.0/", "10.77.8.0/x", "10.77.8", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(network_from(wrong));
  }
  CHECK(network_text(network_of(*ip_from("10.77.0.50"), 28)) == "10.77.0.48/28");
}
