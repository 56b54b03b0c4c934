#include "firmware/inventory.hpp"

#include <doctest/doctest.h>

#include <string>

namespace fw = tftpkit::firmware;

namespace {

std::string complaints(std::string_view text) {
  tftpkit::config::Report report("devices.csv");
  static_cast<void>(fw::Inventory::from_csv(text, report));
  return tftpkit::config::text(report.take());
}

bool names(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a device is found by each of its names, in every spelling") {
  tftpkit::config::Report report("devices.csv");
  const auto inventory = fw::Inventory::from_csv(
      "\xef\xbb\xbfmac, serial,uuid,ip,hostname,site\r\n"
      "# the lab\r\n\r\n"
      "00-15-65-12-34-AB,S1,4C4C4544-0058-4B10-8039-B7C04F5A5A31,10.0.0.1,PH-1,\"Room \"\"4\"\", east\"\r\n",
      report);
  REQUIRE(report.empty());
  REQUIRE(inventory.devices().size() == 1);
  const fw::Device* device = &inventory.devices().front();
  CHECK(inventory.by_mac(tftpkit::kit::mac_from("0015.6512.34ab").value()) == device);
  CHECK(inventory.by_ip(tftpkit::kit::ip_from("::ffff:10.0.0.1").value()) == device);
  CHECK(inventory.by_serial("S1") == device);
  CHECK(inventory.by_serial("s1") == nullptr);
  CHECK(inventory.by_uuid("4c4c4544-0058-4b10-8039-b7c04f5a5a31") == device);
  CHECK(inventory.by_hostname("ph-1") == device);
  CHECK(device->more.at("site") == "Room \"4\", east");
}

TEST_CASE("every mistake in the inventory is told with its line, column and remedy") {
  CHECK(names(complaints(""), "devices.csv: there is no header; write one such as mac,serial"));
  CHECK(names(complaints("name,room\n"), "line 1: no column says who a device is"));
  CHECK(
      names(complaints("mac,modle\n"), "line 1: the column \"modle\" is not known; did you mean \"model\"?"));
  CHECK(names(complaints("mac,mac\n"), "line 1: the column \"mac\" is there twice"));
  CHECK(names(complaints("mac,\n"), "line 1: a column has no name"));
  CHECK(names(complaints("mac\n00:15:65:12:34\n"),
              "line 2, mac: \"00:15:65:12:34\" is no MAC address; write for example"));
  CHECK(names(complaints("ip\n10.0.0\n"), "line 2, ip: \"10.0.0\" is no IP address"));
  CHECK(names(complaints("mac,ring\n,late\n"), "line 2, ring: \"late\" is no ring; write canary or hold"));
  CHECK(names(complaints("mac\n00:15:65:00:00:01,x\n"),
              "line 2: there are 2 fields for 1 columns; put a field with a comma"));
  CHECK(names(complaints("mac\n\"00:15\n"), "line 2: a quotation mark is not closed"));
  const std::string twice = complaints("serial,ip\nA,10.0.0.1\nA,10.0.0.1\n");
  CHECK(names(twice, "line 3, serial: \"A\" belongs to an earlier line already"));
  CHECK(names(twice, "line 3, ip: 10.0.0.1 belongs to an earlier line already"));
}
