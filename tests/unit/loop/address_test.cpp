// Addresses and networks: text in, text out, and errors that say what would be right.
#include "loop/address.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <string>
#include <unordered_set>

using namespace tftpkit::loop;

namespace {

std::string round_trip(const char* text) {
  std::string error;
  const auto address = Address::parse(text, 69, error);
  return address ? address->to_string() : "error: " + error;
}

Address parsed(const char* text) {
  std::string error;
  const auto address = Address::parse(text, 69, error);
  REQUIRE_MESSAGE(address.has_value(), error);
  return *address;
}

std::string network(const char* text) {
  std::string error;
  const auto result = Network::parse(text, error);
  return result ? result->to_string() : "error: " + error;
}

bool contains(const char* net, const char* address) {
  std::string error;
  const auto result = Network::parse(net, error);
  REQUIRE_MESSAGE(result.has_value(), error);
  return result->contains(parsed(address));
}

}  // namespace

TEST_CASE("the network of an address keeps so many bits and no port") {
  const auto of = [](const char* text, unsigned bits) { return parsed(text).network(bits).to_string(); };
  CHECK(of("10.11.12.13:7", 32) == "10.11.12.13:0");
  CHECK(of("10.11.12.13:7", 24) == "10.11.12.0:0");
  CHECK(of("10.11.12.255", 25) == "10.11.12.128:0");
  CHECK(of("10.11.12.13", 9) == "10.0.0.0:0");
  CHECK(of("10.11.12.13", 0) == "0.0.0.0:0");
  CHECK(of("2001:db8:1:2:3:4:5:6", 64) == "[2001:db8:1:2::]:0");
  CHECK(of("2001:db8:1:2ff:3:4:5:6", 57) == "[2001:db8:1:280::]:0");
  CHECK(of("2001:db8::1", 128) == "[2001:db8::1]:0");
  CHECK(of("2001:db8::1", 0) == "[::]:0");
}

TEST_CASE("every usual way to write an address is understood") {
  CHECK(round_trip("127.0.0.1:0") == "127.0.0.1:0");
  CHECK(round_trip("10.0.0.1") == "10.0.0.1:69");
  CHECK(round_trip("10.0.0.1:6969") == "10.0.0.1:6969");
  CHECK(round_trip("::1") == "[::1]:69");
  CHECK(round_trip("[::1]") == "[::1]:69");
  CHECK(round_trip("[::1]:65535") == "[::1]:65535");
  CHECK(round_trip("2001:db8::42") == "[2001:db8::42]:69");
  CHECK(round_trip("[fe80::1%7]:69") == "[fe80::1%7]:69");
  CHECK(round_trip("[fe80::1%lo]:69") == "[fe80::1%1]:69");
  CHECK(round_trip(":6969") == "0.0.0.0:6969");
  CHECK(round_trip("::ffff:10.1.2.3") == "10.1.2.3:69");
}

TEST_CASE("what is not an address is refused with the way out") {
  CHECK(round_trip("10.0.0.300").find("write 10.0.0.1, 10.0.0.1:69, ::1 or [::1]:69") != std::string::npos);
  CHECK(round_trip("localhost").find("not an IP address") != std::string::npos);
  CHECK(round_trip("").find("not an IP address") != std::string::npos);
  CHECK(round_trip("10.0.0.1:70000").find("from 0 to 65535") != std::string::npos);
  CHECK(round_trip("10.0.0.1:").find("\"\" is not a port") != std::string::npos);
  CHECK(round_trip("10.0.0.1:6x").find("\"6x\" is not a port") != std::string::npos);
  CHECK(round_trip("10.0.0.1:-1").find("not a port") != std::string::npos);
  CHECK(round_trip("[::1").find("as in [::1]:69") != std::string::npos);
  CHECK(round_trip("[::1]69").find("as in [::1]:69") != std::string::npos);
  CHECK(round_trip("[10.0.0.1]:69").find("not an IP address") != std::string::npos);
  CHECK(round_trip("[]:69").find("not an IP address") != std::string::npos);
  CHECK(round_trip("[fe80::1%no-such-if]:69").find("no network interface \"no-such-if\"") !=
        std::string::npos);
}

TEST_CASE("a listening address without a host means both families") {
  std::string error;
  const std::vector both{Address::any(Family::v4, 6969), Address::any(Family::v6, 6969)};
  CHECK(parse_listen(":6969", 69, error) == both);
  CHECK(parse_listen("*:6969", 69, error) == both);
  CHECK(parse_listen("*", 6969, error) == both);
  CHECK(parse_listen("::", 69, error) == std::vector{Address::any(Family::v6, 69)});
  CHECK(parse_listen("0.0.0.0", 69, error) == std::vector{Address::any(Family::v4, 69)});
  CHECK(parse_listen("10.0.0.1:x", 69, error).empty());
  CHECK_FALSE(error.empty());
}

TEST_CASE("the kernel's form and back is the same address") {
  for (const char* text : {"10.0.0.1:69", "[2001:db8::1]:1234", "[fe80::1%3]:69"}) {
    sockaddr_storage name{};
    const socklen_t length = parsed(text).to_sockaddr(name);
    CHECK(Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), length) == parsed(text));
    CHECK(Address::from_sockaddr(reinterpret_cast<sockaddr*>(&name), 2).family() == Family::none);
  }
  sockaddr_storage name{};
  CHECK(Address{}.to_sockaddr(name) == 0);
}

TEST_CASE("addresses differ by family, bytes, port and scope, and hash accordingly") {
  const std::unordered_set<Address> set{parsed("10.0.0.1:1"),    parsed("10.0.0.1:2"),
                                        parsed("10.0.0.2:1"),    parsed("[fe80::1%1]:1"),
                                        parsed("[fe80::1%2]:1"), parsed("[::1]:1")};
  CHECK(set.size() == 6);
  CHECK(set.contains(parsed("10.0.0.1:2")));
  CHECK(parsed("10.0.0.1:1").same_ip(parsed("10.0.0.1:2")));
  CHECK_FALSE(parsed("10.0.0.1:1").same_ip(parsed("10.0.0.2:1")));
  CHECK(Address::any(Family::v4, 1) != Address::any(Family::v6, 1));
}

TEST_CASE("kinds of addresses are told apart") {
  CHECK(parsed("224.0.0.1").is_multicast());
  CHECK(parsed("ff02::1").is_multicast());
  CHECK_FALSE(parsed("223.0.0.1").is_multicast());
  CHECK(parsed("169.254.1.1").is_link_local());
  CHECK(parsed("febf::1").is_link_local());
  CHECK_FALSE(parsed("fec0::1").is_link_local());
  CHECK(parsed("127.9.9.9").is_loopback());
  CHECK(parsed("::1").is_loopback());
  CHECK_FALSE(parsed("::2").is_loopback());
  CHECK(parsed("0.0.0.0").is_unspecified());
  CHECK(parsed("::").is_unspecified());
}

TEST_CASE("a network contains what its prefix says") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("192.168.4.0/22", "192.168.7.255"));
  CHECK_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  CHECK(contains("0.0.0.0/0", "1.2.3.4"));
  CHECK_FALSE(contains("0.0.0.0/0", "::1"));
  CHECK(contains("::/0", "2001:db8::1"));
  CHECK(contains("fd00::/9", "fd7f::1"));
  CHECK_FALSE(contains("fd00::/9", "fd80::1"));
  CHECK(contains("10.0.0.1", "10.0.0.1"));
  CHECK_FALSE(contains("10.0.0.1", "10.0.0.2"));
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.1.1"));
  CHECK(contains("fe80::/10", "[fe80::1%2]:69"));
}

TEST_CASE("a network that is written wrongly is refused with the way out") {
  CHECK(network("10.0.0.1/8").find("did you mean 10.0.0.0/8?") != std::string::npos);
  CHECK(network("10.0.0.0/33").find("from 0 to 32") != std::string::npos);
  CHECK(network("::/129").find("from 0 to 128") != std::string::npos);
  CHECK(network("10.0.0.0/").find("from 0 to 32") != std::string::npos);
  CHECK(network("::ffff:10.0.0.0/8").find("from 96 to 128") != std::string::npos);
  CHECK(network("ten").find("write 10.0.0.0/8") != std::string::npos);
  CHECK(network("::ffff:10.0.0.0/104") == "10.0.0.0/8");
  CHECK(network("fd00::1") == "fd00::1/128");
}
