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
  Admission admission{{100, 2, 1000, 0, 0}};
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
  Admission admission{{2, 2, 1000, 0, 0}};
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
  Admission admission{{1000, 1000, 1000, 10, 3}};
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
  Admission admission{{10, 10, 1000, 0, 0}};
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
  Admission admission{{100000, 1, 1000, 1000, 1}};
  std::string why;
  const auto busy = admission.admit(client(1), start, why);
  for (unsigned i = 0; i < 5000; ++i)
    (void)admission.admit(
        loop::Address::v4({10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 9),
        start + std::chrono::seconds{i}, why);
  CHECK_FALSE(admission.admit(client(1), start + 9000s, why).has_value());
}

TEST_CASE("new limits hold for the next request") {
  Admission admission{{1, 10, 1000, 0, 0}};
  std::string why;
  const auto first = admission.admit(client(1), start, why);
  CHECK_FALSE(admission.admit(client(2), start, why).has_value());
  admission.set_limits({2, 10, 1000, 0, 0});
  CHECK(admission.admit(client(2), start, why).has_value());
}
