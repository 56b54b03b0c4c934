#include "serve/admission.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tftpkit;
using namespace std::chrono_literals;
using serve::Admission;

namespace {

loop::Address client(std::uint8_t last, std::uint16_t port = 1000) {
  return loop::Address::v4({10, 0, 0, last}, port);
}

const Admission::TimePoint start{100s};

}  // namespace

TEST_CASE("transfers of one client are limited by address, not by port") {
  Admission admission{{100, 1000, {2, 0, 0}}};
  std::string why;
  auto first = admission.admit(client(1, 1), start, why);
  const auto second = admission.admit(client(1, 2), start, why);
  CHECK(first.has_value());
  CHECK(second.has_value());
  CHECK_FALSE(admission.admit(client(1, 3), start, why).has_value());
  CHECK(why.find("from your address") != std::string::npos);
  CHECK(admission.admit(client(2), start, why).has_value());
  first.reset();
  CHECK(admission.admit(client(1, 3), start, why).has_value());
}

TEST_CASE("transfers of all clients are limited, and a ticket gives its place back once") {
  Admission admission{{2, 1000, {2, 0, 0}}};
  std::string why;
  auto first = admission.admit(client(1), start, why);
  auto second = admission.admit(client(2), start, why);
  CHECK_FALSE(admission.admit(client(3), start, why).has_value());
  auto moved = std::move(*first);
  first.reset();
  CHECK(admission.transfers() == 2);
  { const auto gone = std::move(moved); }
  CHECK(admission.transfers() == 1);
}

TEST_CASE("requests per second are limited after a burst and come back with time") {
  Admission admission{{1000, 1000, {1000, 10, 3}}};
  std::string why;
  const auto admitted = [&](Admission::TimePoint now) {
    return admission.admit(client(1), now, why).has_value();
  };
  CHECK(admitted(start));
  CHECK(admitted(start));
  CHECK(admitted(start));
  CHECK_FALSE(admitted(start));
  CHECK(why.find("too many requests") != std::string::npos);
  CHECK_FALSE(admitted(start + 99ms));
  CHECK(admitted(start + 200ms));
  CHECK(admission.admit(client(2), start, why).has_value());
}

TEST_CASE("buffer memory is booked and given back") {
  Admission admission{{10, 1000, {10, 0, 0}}};
  std::string why;
  auto first = admission.admit(client(1), start, why);
  auto second = admission.admit(client(2), start, why);
  CHECK(first->reserve(600));
  CHECK_FALSE(second->reserve(600));
  CHECK(second->reserve(400));
  first.reset();
  CHECK(second->reserve(600));
  second.reset();
  CHECK(admission.buffer_bytes() == 0);
}

TEST_CASE("clients that are idle for long are forgotten and others are not") {
  Admission admission{{100000, 1000, {1, 1000, 1}}};
  std::string why;
  const auto busy = admission.admit(client(1), start, why);
  for (unsigned i = 0; i < 5000; ++i)
    (void)admission.admit(
        loop::Address::v4({10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 9),
        start + std::chrono::seconds{i}, why);
  CHECK_FALSE(admission.admit(client(1), start + 9000s, why).has_value());
}

TEST_CASE("new limits hold for the next request") {
  Admission admission{{1, 1000, {10, 0, 0}}};
  std::string why;
  const auto first = admission.admit(client(1), start, why);
  CHECK_FALSE(admission.admit(client(2), start, why).has_value());
  admission.set_limits({2, 1000, {10, 0, 0}});
  CHECK(admission.admit(client(2), start, why).has_value());
}

namespace {

loop::Address v6(const std::string& text) {
  std::string error;
  return *loop::Address::parse("[" + text + "]:9", 9, error);
}

bool admitted(Admission& admission, const loop::Address& who, Admission::TimePoint now = start) {
  std::string why;
  return admission.admit(who, now, why).has_value();
}

}  // namespace

TEST_CASE("requests of a network are limited over all its clients, and other networks are not concerned") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {0, 10, 4}}}}};
  for (std::uint8_t last = 1; last <= 4; ++last)
    CHECK(admitted(admission, client(last)));
  std::string why;
  CHECK_FALSE(admission.admit(client(5), start, why).has_value());
  CHECK(why == "too many requests from your network, try again later");
  CHECK(admitted(admission, loop::Address::v4({10, 0, 1, 1}, 1)));
  CHECK(admitted(admission, client(5), start + 150ms));
  CHECK_FALSE(admitted(admission, client(6), start + 150ms));
}

TEST_CASE("an IPv6 host that changes its address within its network stays limited") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {0, 1, 2}}}}};
  CHECK(admitted(admission, v6("2001:db8:1:2::1")));
  CHECK(admitted(admission, v6("2001:db8:1:2:ffff::2")));
  CHECK_FALSE(admitted(admission, v6("2001:db8:1:2:3:4:5:6")));
  CHECK(admitted(admission, v6("2001:db8:1:3::1")));
}

TEST_CASE("transfers of a network are limited over all its clients, and come back with their end") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {2, 0, 0}}}}};
  std::string why;
  auto first = admission.admit(client(1), start, why);
  const auto second = admission.admit(client(2), start, why);
  CHECK_FALSE(admission.admit(client(3), start, why).has_value());
  CHECK(why == "too many transfers from your network at once, try again later");
  first.reset();
  CHECK(admitted(admission, client(3)));
}

TEST_CASE("what a client may not ask does not count for its network") {
  Admission admission{{1000, 1000, {1000, 1, 2}, {{24, 64, {0, 1, 5}}}}};
  for (int i = 0; i < 100; ++i)
    (void)admitted(admission, client(1));
  for (std::uint8_t last = 2; last <= 4; ++last)
    CHECK(admitted(admission, client(last)));
  CHECK_FALSE(admitted(admission, client(5)));
}

TEST_CASE("several sizes of networks hold at once") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {0, 1, 3}}, {16, 48, {0, 1, 4}}}}};
  for (int i = 0; i < 3; ++i)
    CHECK(admitted(admission, loop::Address::v4({10, 0, 1, 1}, 1)));
  CHECK_FALSE(admitted(admission, loop::Address::v4({10, 0, 1, 2}, 1)));
  CHECK(admitted(admission, loop::Address::v4({10, 0, 2, 1}, 1)));
  CHECK_FALSE(admitted(admission, loop::Address::v4({10, 0, 3, 1}, 1)));
  CHECK(admitted(admission, loop::Address::v4({10, 1, 0, 1}, 1)));
}

TEST_CASE("networks of another size are counted anew, and what ends then was not counted by them") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {2, 0, 0}}}}};
  std::string why;
  auto old = admission.admit(client(1), start, why);
  admission.set_limits({1000, 1000, {1000, 0, 0}, {{16, 64, {2, 0, 0}}}});
  const auto first = admission.admit(client(1), start, why);
  const auto second = admission.admit(client(2), start, why);
  CHECK(second.has_value());
  old.reset();
  CHECK_FALSE(admission.admit(client(3), start, why).has_value());
}

TEST_CASE("networks of the same size keep their count when limits change") {
  Admission admission{{1000, 1000, {1000, 0, 0}, {{24, 64, {5, 0, 0}}}}};
  std::string why;
  const auto first = admission.admit(client(1), start, why);
  admission.set_limits({1000, 1000, {1000, 0, 0}, {{24, 64, {1, 0, 0}}}});
  CHECK_FALSE(admission.admit(client(2), start, why).has_value());
}
