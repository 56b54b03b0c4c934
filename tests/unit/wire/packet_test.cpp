#include "bytes.hpp"
#include "wire/packet.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace tftpkit::wire;
using tftpkit::test::operator""_b;
using tftpkit::test::text_of;

namespace {

template <class T>
T packet(const std::vector<std::byte>& datagram) {
  auto parsed = parse_packet(datagram);
  REQUIRE(std::holds_alternative<T>(parsed));
  return std::get<T>(parsed);
}

bool nothing(const std::vector<std::byte>& datagram) {
  return std::holds_alternative<NotAPacket>(parse_packet(datagram));
}

}  // namespace

TEST_CASE("headers of DATA and ACK are big-endian") {
  CHECK(text_of(encode_data_header(0x1234)) == std::string("\0\3\x12\x34", 4));
  CHECK(text_of(encode_ack(0xfffe)) == std::string("\0\4\xff\xfe", 4));
}

TEST_CASE("an ERROR carries code, text and one NUL") {
  const auto bytes = encode_error({ErrorCode::access_violation, "no"});
  CHECK(text_of(bytes) == std::string("\0\5\0\2no\0", 7));
}

TEST_CASE("an ERROR without text says the words for its code") {
  CHECK(packet<Error>(encode_error({ErrorCode::disk_full, ""})).text == words(ErrorCode::disk_full));
}

TEST_CASE("the text of an ERROR is cut at 500 bytes and never inside a character") {
  CHECK(encode_error({ErrorCode::not_defined, std::string(900, 'x')}).size() == 4 + 500 + 1);
  const auto cut = encode_error({ErrorCode::not_defined, std::string(499, 'x') + "\xc3\xa4 and more"});
  CHECK(cut.size() == 4 + 499 + 1);
}

TEST_CASE("control characters in the text of an ERROR are replaced") {
  CHECK(packet<Error>(encode_error({ErrorCode::not_defined, "a\nb\x1b[31m\x7f"})).text == "a?b?[31m?");
}

TEST_CASE("peers.md lessons: an OACK ends with the last value's NUL and nothing after it") {
  const std::vector<Option> options{{"BlkSize", "1432"}, {"tsize", "7"}};
  CHECK(text_of(encode_oack(options)) == std::string("\0\6BlkSize\0001432\0tsize\0007\0", 23));
}

TEST_CASE("packets are decoded to what was encoded") {
  CHECK(packet<Ack>("\0\4\xab\xcd"_b).wire_block == 0xabcd);
  const auto datagram = "\0\3\0\7hello"_b;
  const auto data = packet<Data>(datagram);
  CHECK(data.wire_block == 7);
  CHECK(text_of(data.payload) == "hello");
  CHECK(data.payload.data() == datagram.data() + 4);
  CHECK(packet<Data>("\0\3\0\1"_b).payload.empty());
  CHECK(packet<Oack>("\0\6tsize\00012\0"_b).options.at(0) == Option{"tsize", "12"});
}

TEST_CASE("clients.md annex 9: an ACK longer than 4 bytes is an ACK") {
  CHECK(packet<Ack>("\0\4\0\5\0\0\0\0padding"_b).wire_block == 5);
}

TEST_CASE("clients.md annex 9: a request on a transfer port is not a packet of the transfer") {
  CHECK(nothing("\0\1/boot/grub\0octet\0"_b));
  CHECK(nothing("\0\2log\0octet\0"_b));
}

TEST_CASE("peers.md 1: short and unknown datagrams are not packets") {
  CHECK(nothing(""_b));
  CHECK(nothing("\0"_b));
  CHECK(nothing("\0\4"_b));
  CHECK(nothing("\0\4\0"_b));
  CHECK(nothing("\0\3\0"_b));
  CHECK(nothing("\0\5\0"_b));
  CHECK(nothing("\0\x09\0\1"_b));
}

TEST_CASE("an ERROR is read with an empty text, without NUL, and with a code beyond the table") {
  CHECK(packet<Error>("\0\5\0\0"_b).text.empty());
  const auto datagram = "\0\5\0\x08User aborted"_b;
  CHECK(packet<Error>(datagram).text == "User aborted");
  CHECK(packet<Error>("\0\5\0\x63x\0"_b).code == static_cast<ErrorCode>(99));
  CHECK(words(static_cast<ErrorCode>(99)) == "unknown code");
}
