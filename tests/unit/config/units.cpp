// config/units and config/nearest: what people write, and what they meant.
#include "config/units.hpp"

#include "config/nearest.hpp"
#include "config/network_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

using namespace tftpkit::config;
using namespace std::chrono_literals;

namespace {

std::uint64_t bytes(std::string_view text) {
  return std::get<std::uint64_t>(size_from(text));
}
Complaint no_size(std::string_view text) {
  return std::get<Complaint>(size_from(text));
}
std::chrono::milliseconds time(std::string_view text) {
  return std::get<std::chrono::milliseconds>(duration_from(text));
}
Complaint no_duration(std::string_view text) {
  return std::get<Complaint>(duration_from(text));
}

}  // namespace

TEST_CASE("sizes are bytes, with binary units") {
  CHECK(bytes("512") == 512);
  CHECK(bytes("512B") == 512);
  CHECK(bytes("64KiB") == 65536);
  CHECK(bytes("1GiB") == 1ULL << 30);
  CHECK(bytes("2TiB") == 2ULL << 40);
  CHECK(bytes("0") == 0);
}

TEST_CASE("units that mean two things are refused with the one that was likely meant") {
  CHECK(no_size("64k").hint == "did you mean \"64KiB\"?");
  CHECK(no_size("64KB").hint == "did you mean \"64KiB\"?");
  CHECK(no_size("1g").hint == "did you mean \"1GiB\"?");
  CHECK(no_size("lots").what == "\"lots\" is not a size");
  CHECK(no_size("-1").what == "\"-1\" is not a size");
  CHECK(no_size("1.5GiB").what == "\"1.5GiB\" is not a size");
  CHECK(no_size("").what == "\"\" is not a size");
  CHECK(no_size("9999999TiB").what.find("more than this machine can count") != std::string::npos);
  CHECK(no_size("99999999999999999999").what == "\"99999999999999999999\" is not a size");
}

TEST_CASE("durations have a unit") {
  CHECK(time("250ms") == 250ms);
  CHECK(time("3s") == 3s);
  CHECK(time("5m") == 5min);
  CHECK(time("1h") == 1h);
  CHECK(time("0") == 0ms);
  CHECK(no_duration("3").hint == "did you mean \"3s\" or \"3ms\"?");
  CHECK(no_duration("3 s").what == "\"3 s\" is not a duration");
  CHECK(no_duration("1.5s").what == "\"1.5s\" is not a duration");
  CHECK(no_duration("3min").what == "\"3min\" is not a duration");
  CHECK(no_duration("999999999h").what == "\"999999999h\" is longer than ten years");
}

TEST_CASE("numbers are told in the unit that says them exactly") {
  CHECK(size_text(1ULL << 30) == "1GiB");
  CHECK(size_text(1500) == "1500B");
  CHECK(size_text(0) == "0B");
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(1500ms) == "1500ms");
  CHECK(duration_text(2h) == "2h");
}

TEST_CASE("the nearest name is found across every kind of typing error") {
  const std::vector<std::string> names = {"files", "menus", "windowsize_max"};
  CHECK(nearest("fils", names) == "files");
  CHECK(nearest("fiels", names) == "files");
  CHECK(nearest("Files", names) == "files");
  CHECK(nearest("meanus", names) == "menus");
  CHECK(nearest("windowsizemax", names) == "windowsize_max");
  CHECK_FALSE(nearest("tape", names));
  CHECK_FALSE(nearest(std::string(100'000, 'x'), names));
}

TEST_CASE("addresses to listen on") {
  for (const char* right :
       {"0.0.0.0:69", "[::]:69", "192.0.2.1", "::1", "[::1]", "[fe80::1%eth0]:69", ":69", "*:0", "*"}) {
    CAPTURE(right);
    CHECK_FALSE(listen_complaint(right));
  }
  for (const char* wrong :
       {"", ":", "localhost:69", "1.2.3:69", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:tftp", "[::1", "[::1]69",
        "[::1]:", "[1.2.3.4]:69", "[fe80::1%]:69", "1.2.3.4%eth0:69", "1.2.3.4:-1", "[]:69"}) {
    CAPTURE(wrong);
    CHECK(listen_complaint(wrong));
  }
  CHECK(listen_complaint("fe80::1%eth0:69:x").has_value());
}

TEST_CASE("client networks") {
  for (const char* right :
       {"10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::1", "0.0.0.0/0", "::/0", "10.1.2.3/32"}) {
    CAPTURE(right);
    CHECK_FALSE(network_complaint(right));
  }
  for (const char* wrong :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10/8", "10.0.0.0/8/8", "10.0.0.0/-1", "host"}) {
    CAPTURE(wrong);
    CHECK(network_complaint(wrong));
  }
  CHECK(network_complaint("10.1.2.3/8")->hint == "did you mean \"10.0.0.0/8\"?");
  CHECK(network_complaint("2001:db8::1/32")->hint == "did you mean \"2001:db8::/32\"?");
}
