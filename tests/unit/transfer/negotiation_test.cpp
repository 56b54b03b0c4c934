#include "transfer/negotiation.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

using namespace tftpkit::transfer;
using namespace std::chrono_literals;
using tftpkit::wire::Mode;
using tftpkit::wire::Operation;
using tftpkit::wire::Option;
using tftpkit::wire::Reject;
using tftpkit::wire::Request;

namespace {

using Options = std::vector<Option>;

Request asking(Options options) {
  return {Operation::read, "file", Mode::octet, std::move(options)};
}

Agreement agreed(Options options, const Limits& limits = {}) {
  return negotiate(asking(std::move(options)), limits);
}

Options answer(Options options, const Limits& limits = {}) {
  return oack_options(agreed(std::move(options), limits), 1000);
}

// What one option brings; "" when it is left out.
std::string granted(const std::string& name, const std::string& value, const Limits& limits = {}) {
  const auto options = answer({{name, value}}, limits);
  return options.empty() ? "" : options.at(0).value;
}

}  // namespace

TEST_CASE("without options there is no OACK and the terms are RFC 1350's") {
  const auto agreement = agreed({});
  CHECK(agreement.terms == Terms{});
  CHECK(oack_options(agreement, 5).empty());
}

TEST_CASE(
    "clients.md annex 2: names come back as received, in the order of the request, only what was asked") {
  CHECK(answer({{"TSize", "0"}, {"BLKSIZE", "1432"}, {"x-unknown", "1"}, {"WindowSize", "4"}}) ==
        Options{{"TSize", "1000"}, {"BLKSIZE", "1432"}, {"WindowSize", "4"}});
  CHECK(answer({{"blksize", "1432"}, {"tsize", "0"}}) == Options{{"blksize", "1432"}, {"tsize", "1000"}});
}

TEST_CASE("RFC 2348: blksize is answered with at most what was asked and what we allow") {
  CHECK(granted("blksize", "8") == "8");
  CHECK(granted("blksize", "65464") == "65464");
  CHECK(granted("blksize", "65465") == "65464");
  CHECK(granted("blksize", "99999999999999999999999") == "65464");
  CHECK(granted("blksize", "01432") == "1432");
  CHECK(granted("blksize", "9000", {.blksize_max = 4096}) == "4096");
  CHECK(granted("blksize", "9000", {.blksize_path = 1428}) == "1428");
  CHECK(granted("blksize", "1024", {.blksize_path = 1428}) == "1024");
  CHECK(agreed({{"blksize", "9000"}}, {.blksize_path = 1428}).terms.blksize == 1428);
}

TEST_CASE("peers.md 5: a malformed blksize is left out, and blocks have 512 bytes") {
  for (const auto* value : {"", "7", "0", "-1", "+512", " 512", "512 ", "5e2", "0x200", "1432.0", "abc"}) {
    CHECK_MESSAGE(granted("blksize", value).empty(), value);
    CHECK(agreed({{"blksize", value}}).terms.blksize == 512);
  }
}

TEST_CASE("RFC 7440: windowsize is capped by the limit; 0 and nonsense are left out") {
  CHECK(granted("windowsize", "4") == "4");
  CHECK(granted("windowsize", "65535") == "64");
  CHECK(granted("windowsize", "65535", {.windowsize_max = 65535}) == "65535");
  CHECK(granted("windowsize", "70000", {.windowsize_max = 65535}) == "65535");
  CHECK(granted("windowsize", "4", {.windowsize_max = 0}) == "1");
  for (const auto* value : {"", "0", "-4", "x"})
    CHECK_MESSAGE(granted("windowsize", value).empty(), value);
}

TEST_CASE("with rollover 1 a window never holds all numbers, wherever rollover stands in the list") {
  const Limits wide{.windowsize_max = 65535};
  CHECK(answer({{"windowsize", "65535"}, {"rollover", "1"}}, wide).at(0).value == "65534");
  CHECK(answer({{"rollover", "1"}, {"windowsize", "65535"}}, wide).at(1).value == "65534");
  CHECK(agreed({{"windowsize", "65535"}}, {.windowsize_max = 65535, .rollover = 1}).terms.windowsize ==
        65534);
}

TEST_CASE("RFC 2349: timeout is 1 to 255 seconds, anything else is left out") {
  CHECK(agreed({{"timeout", "1"}}).terms.timeout == 1s);
  CHECK(agreed({{"timeout", "255"}}).terms.timeout == 255s);
  CHECK(granted("timeout", "6") == "6");
  for (const auto* value : {"0", "256", "-1", "", "1.5", "18446744073709551616"}) {
    CHECK_MESSAGE(granted("timeout", value).empty(), value);
    CHECK_FALSE(agreed({{"timeout", value}}).terms.timeout.has_value());
  }
}

TEST_CASE("tftp-hpa: utimeout is 10 ms to 255 s in microseconds; of it and timeout the first counts") {
  CHECK(agreed({{"utimeout", "10000"}}).terms.timeout == 10ms);
  CHECK(agreed({{"utimeout", "255000000"}}).terms.timeout == 255s);
  CHECK(granted("utimeout", "9999").empty());
  CHECK(granted("utimeout", "255000001").empty());
  CHECK(answer({{"timeout", "2"}, {"utimeout", "500000"}}) == Options{{"timeout", "2"}});
  CHECK(agreed({{"utimeout", "500000"}, {"timeout", "2"}}).terms.timeout == 500ms);
}

TEST_CASE("RFC 2349: tsize is answered when asked and known, never unasked") {
  CHECK(oack_options(agreed({{"tsize", "0"}}), 5368709120U) == Options{{"tsize", "5368709120"}});
  CHECK(oack_options(agreed({{"tsize", "0"}}), 0) == Options{{"tsize", "0"}});
  CHECK(oack_options(agreed({{"tsize", "0"}}), std::nullopt).empty());
  CHECK(oack_options(agreed({{"blksize", "1024"}, {"tsize", "0"}, {"timeout", "5"}}), std::nullopt) ==
        Options{{"blksize", "1024"}, {"timeout", "5"}});
  CHECK(oack_options(agreed({{"blksize", "1024"}}), 7) == Options{{"blksize", "1024"}});
  CHECK(agreed({{"tsize", "0"}}).terms.wants_tsize);
  CHECK_FALSE(agreed({{"tsize", ""}}).terms.wants_tsize);
}

TEST_CASE("the tsize of a write request is kept as the size to come") {
  CHECK(agreed({{"tsize", "123456"}}).announced_size == 123456);
  CHECK_FALSE(agreed({}).announced_size.has_value());
}

TEST_CASE("rollover is 0 or 1; without the option the configured one applies and is not mentioned") {
  CHECK(granted("rollover", "0", {.rollover = 1}) == "0");
  CHECK(granted("rollover", "1") == "1");
  CHECK(granted("rollover", "2").empty());
  CHECK(agreed({}, {.rollover = 1}).terms.rollover == 1);
  CHECK(answer({}, {.rollover = 1}).empty());
}

TEST_CASE("clients.md annex 9: multicast with an empty value is left out") {
  CHECK(answer({{"tsize", "0"}, {"multicast", ""}, {"blksize", "512"}}) ==
        Options{{"tsize", "1000"}, {"blksize", "512"}});
}

TEST_CASE("the client takes an OACK that grants at most what it asked") {
  const auto asked = asking({{"blksize", "1428"}, {"windowsize", "16"}, {"tsize", "0"}, {"timeout", "3"}});
  const auto result = accept_oack(asked, Options{{"BLKSIZE", "1024"}, {"windowsize", "8"}, {"tsize", "77"}});
  REQUIRE(std::holds_alternative<Accepted>(result));
  const auto& accepted = std::get<Accepted>(result);
  CHECK(accepted.terms.blksize == 1024);
  CHECK(accepted.terms.windowsize == 8);
  CHECK_FALSE(accepted.terms.timeout.has_value());
  CHECK(accepted.tsize == 77);
}

TEST_CASE("the client refuses an OACK that asks for more, or for what it did not ask, with ERROR 8") {
  const auto asked = asking({{"blksize", "1024"}, {"windowsize", "4"}, {"timeout", "3"}});
  for (const auto& option : Options{{"blksize", "1025"},
                                    {"blksize", "4"},
                                    {"blksize", "x"},
                                    {"windowsize", "5"},
                                    {"windowsize", "0"},
                                    {"timeout", "4"},
                                    {"tsize", "9"},
                                    {"colour", "blue"}}) {
    const auto result = accept_oack(asked, Options{option});
    CAPTURE(option.name);
    CAPTURE(option.value);
    REQUIRE(std::holds_alternative<Reject>(result));
    CHECK(std::get<Reject>(result).code == tftpkit::wire::ErrorCode::option_refused);
    CHECK(std::get<Reject>(result).text.find(option.name) != std::string::npos);
  }
}

TEST_CASE("what the server answers is what the client accepts") {
  const auto asked = asking(
      {{"blksize", "9000"}, {"tsize", "0"}, {"windowsize", "99"}, {"utimeout", "20000"}, {"rollover", "1"}});
  const auto agreement = negotiate(asked, {.blksize_path = 1428, .windowsize_max = 32});
  const auto result = accept_oack(asked, oack_options(agreement, 12345));
  REQUIRE(std::holds_alternative<Accepted>(result));
  CHECK(std::get<Accepted>(result).terms == agreement.terms);
}
