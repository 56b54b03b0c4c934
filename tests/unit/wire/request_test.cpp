#include "bytes.hpp"
#include "wire/packet.hpp"
#include "wire/request.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace tftpkit::wire;
using tftpkit::test::operator""_b;

namespace {

using Bytes = std::vector<std::byte>;

Request request_in(const Bytes& datagram) {
  const auto parsed = parse_request(datagram);
  REQUIRE(std::holds_alternative<Request>(parsed));
  return std::get<Request>(parsed);
}

Reject reject_of(const Bytes& datagram) {
  const auto parsed = parse_request(datagram);
  REQUIRE(std::holds_alternative<Reject>(parsed));
  return std::get<Reject>(parsed);
}

bool ignored(const Bytes& datagram) {
  return std::holds_alternative<NotARequest>(parse_request(datagram));
}

}  // namespace

TEST_CASE("a read request gives name, mode and no options") {
  const auto request = request_in("\0\1pxelinux.0\0octet\0"_b);
  CHECK(request.op == Operation::read);
  CHECK(request.filename == "pxelinux.0");
  CHECK(request.mode == Mode::octet);
  CHECK(request.options.empty());
}

TEST_CASE("a write request is told from a read request") {
  CHECK(request_in("\0\2log\0netascii\0"_b).op == Operation::write);
}

TEST_CASE("modes are known in any case") {
  CHECK(request_in("\0\1a\0OcTeT\0"_b).mode == Mode::octet);
  CHECK(request_in("\0\1a\0NETASCII\0"_b).mode == Mode::netascii);
}

TEST_CASE("options keep their order and the case of their names") {
  const auto options = request_in("\0\1a\0octet\0TSize\0000\0BLKSIZE\0001432\0"_b).options;
  REQUIRE(options.size() == 2);
  CHECK(options[0] == Option{"TSize", "0"});
  CHECK(options[1] == Option{"BLKSIZE", "1432"});
}

TEST_CASE("an option may have an empty value (atftp's multicast)") {
  const auto options = request_in("\0\1a\0octet\0multicast\0\0blksize\0001024\0"_b).options;
  REQUIRE(options.size() == 2);
  CHECK(options[0] == Option{"multicast", ""});
  CHECK(options[1] == Option{"blksize", "1024"});
}

TEST_CASE("a missing last NUL is forgiven after the mode and after a value") {
  CHECK(request_in("\0\1a\0octet"_b).mode == Mode::octet);
  CHECK(request_in("\0\1a\0octet\0blksize\0001024"_b).options.at(0) == Option{"blksize", "1024"});
}

TEST_CASE("a request padded with NULs to 516 bytes is read as if it were not") {
  auto padded = "\0\1boot.bin\0octet\0"_b;
  padded.resize(516);
  CHECK(request_in(padded) == request_in("\0\1boot.bin\0octet\0"_b));
  auto with_option = "\0\1boot.bin\0octet\0tsize\0000\0"_b;
  with_option.resize(516);
  CHECK(request_in(with_option).options.size() == 1);
}

TEST_CASE("junk after the padding is not taken for options") {
  CHECK(request_in("\0\1a\0octet\0\0\0\xde\xad\0\xbe\xef\0"_b).options.empty());
}

TEST_CASE("an option name without value at the end is ignored") {
  CHECK(request_in("\0\1a\0octet\0tsize\0000\0blksize\0"_b).options.size() == 1);
  CHECK(request_in("\0\1a\0octet\0blksize"_b).options.empty());
}

TEST_CASE("RFC 2347: of a repeated option the first one counts, whatever its case") {
  const auto options = request_in("\0\1a\0octet\0blksize\0001024\0BlkSize\0009\0"_b).options;
  REQUIRE(options.size() == 1);
  CHECK(options[0].value == "1024");
}

TEST_CASE("only the first 32 options are looked at") {
  std::string text("\0\1a\0octet\0", 10);
  for (int i = 0; i < 40; ++i)
    text += "o" + std::to_string(i) + std::string(1, '\0') + "1" + std::string(1, '\0');
  CHECK(request_in(operator""_b(text.data(), text.size())).options.size() == 32);
}

TEST_CASE("mail and unknown modes are refused with ERROR 4 and a text that says what to use") {
  const auto mail = reject_of("\0\1a\0MAIL\0"_b);
  CHECK(mail.code == ErrorCode::illegal_operation);
  CHECK(mail.text.find("mail") != std::string::npos);
  CHECK(mail.text.find("octet") != std::string::npos);
  const auto other = reject_of("\0\1a\0binary\0"_b);
  CHECK(other.code == ErrorCode::illegal_operation);
  CHECK(other.text.find("binary") != std::string::npos);
}

TEST_CASE("a mode that is no word is not said back to whoever sent it") {
  for (const auto mode : {"\x1b[2J",
                          "\xc2\x9b"
                          "2J",
                          "%s%n", "\xff", "oct et"}) {
    auto raw = "\0\1a\0"_b;
    for (const char* at = mode; *at != '\0'; ++at)
      raw.push_back(static_cast<std::byte>(*at));
    raw.push_back(std::byte{0});
    CHECK(reject_of(raw).text == "the mode is no word; use octet or netascii");
  }
}

TEST_CASE("a request without mode is ERROR 4, one with an empty name ERROR 1") {
  CHECK(reject_of("\0\1a\0"_b).code == ErrorCode::illegal_operation);
  CHECK(reject_of("\0\1a"_b).code == ErrorCode::illegal_operation);
  CHECK(reject_of("\0\1a\0\0"_b).code == ErrorCode::illegal_operation);
  CHECK(reject_of("\0\1"_b).code == ErrorCode::illegal_operation);
  CHECK(reject_of("\0\1\0octet\0"_b).code == ErrorCode::file_not_found);
}

TEST_CASE("peers.md 1, 5, 7: what is not a request is never answered") {
  CHECK(ignored(""_b));
  CHECK(ignored("\0"_b));
  CHECK(ignored("\0\3\0\1data"_b));
  CHECK(ignored("\0\4\0\1"_b));
  CHECK(ignored("\0\5\0\1nothing\0"_b));
  CHECK(ignored("\0\6blksize\0001024\0"_b));
  CHECK(ignored("\0\7"_b));
  CHECK(ignored("\1\1a\0octet\0"_b));
}

TEST_CASE("a request survives encoding and parsing") {
  const Request request{Operation::write, "dir/file name", Mode::netascii, {{"blksize", "1428"}, {"X", ""}}};
  CHECK(request_in(encode_request(request)) == request);
}
