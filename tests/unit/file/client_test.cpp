// The clients' own directories.
#include "fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace file_test;

namespace {

struct Clients : Scratch {
  Clients() {
    file("10.0.0.5/config", "for 10.0.0.5");
    file("10.0.0.6/config", "for 10.0.0.6");
    file("52-54-00-ab-cd-01/config", "for the MAC");
    file("2001:db8::5/config", "for IPv6");
    file("config", "for everybody");
    file("kernel", "common");
  }
};

constexpr std::array<uint8_t, 6> some_mac = {0x52, 0x54, 0x00, 0xab, 0xcd, 0x01};

tftpkit_addr ipv6(std::initializer_list<uint8_t> bytes) {
  tftpkit_addr address{};
  address.family = 6;
  std::copy(bytes.begin(), bytes.end(), address.bytes);
  return address;
}

}  // namespace

TEST_CASE("by address: the client's own directory first, then the root") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}}));
  CHECK(plugin.open("config").content == "for 10.0.0.5");
  CHECK(plugin.open("kernel").content == "common");
  CHECK(plugin.host.mac_questions == 0);
  plugin.peer = ipv4(10, 0, 0, 99);
  CHECK(plugin.open("config").content == "for everybody");
}

TEST_CASE("by address: IPv6 in its short form, a mapped address as IPv4") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}}));
  plugin.peer = ipv6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5});
  CHECK(plugin.open("config").content == "for IPv6");
  plugin.peer = ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 6});
  CHECK(plugin.open("config").content == "for 10.0.0.6");
}

TEST_CASE("by MAC: when the neighbour table knows it") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "mac"}}));
  CHECK(plugin.open("config").content == "for everybody");
  plugin.host.mac = some_mac;
  CHECK(plugin.open("config").content == "for the MAC");
}

TEST_CASE("several kinds are tried in the order of the setting") {
  const Clients tree;
  Plugin mac_first(serving(tree, {{"/per_client/0", "mac"}, {"/per_client/1", "ip"}}));
  mac_first.host.mac = some_mac;
  CHECK(mac_first.open("config").content == "for the MAC");
  Plugin ip_first(serving(tree, {{"/per_client/0", "ip"}, {"/per_client/1", "mac"}}));
  ip_first.host.mac = some_mac;
  CHECK(ip_first.open("config").content == "for 10.0.0.5");
}

TEST_CASE("without the fallback a client has nothing but its own directory") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}, {"/per_client_fallback", "false"}}));
  CHECK(plugin.open("config").content == "for 10.0.0.5");
  CHECK(plugin.open("kernel").status == TFTPKIT_DECLINED);
}

TEST_CASE("a request without a network has no directory of its own") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}, {"/per_client/1", "mac"}}));
  plugin.peer = {};
  CHECK(plugin.open("config").content == "for everybody");
}

TEST_CASE("a client cannot name the directory of another one") {
  const Clients tree;
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}, {"/per_client/1", "mac"}}));
  CHECK(plugin.open("10.0.0.6/config").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("2001:db8::5/config").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("52-54-00-ab-cd-01/config").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("52-54-00-AB-CD-01/config").status == TFTPKIT_DECLINED);
  CHECK(plugin.open("10.0.0.5/config").content == "for 10.0.0.5");  // its own it can
  plugin.host.mac = some_mac;
  CHECK(plugin.open("52-54-00-ab-cd-01/config").content == "for the MAC");
}

TEST_CASE("where clients have no own directories such names are names like any other") {
  const Clients tree;
  Plugin plain(serving(tree));
  CHECK(plain.open("10.0.0.6/config").content == "for 10.0.0.6");
  Plugin by_address(serving(tree, {{"/per_client/0", "ip"}}));
  CHECK(by_address.open("52-54-00-ab-cd-01/config").content == "for the MAC");
}

TEST_CASE("an own file that cannot be read is refused, not replaced by the common one") {
  const Clients tree;
  std::filesystem::create_directory(tree.root() / "10.0.0.5/kernel");
  Plugin plugin(serving(tree, {{"/per_client/0", "ip"}}));
  CHECK(plugin.open("kernel").text == "is a directory");
}
