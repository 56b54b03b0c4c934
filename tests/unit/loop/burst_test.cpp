// Bursts: the same bytes arrive whichever way they were sent.
#include "loop/burst.hpp"
#include "loop/sockets.hpp"
#include "peer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <netinet/in.h>
#include <random>
#include <vector>

using namespace tftpkit::loop;
using namespace tftpkit::loop::test;

namespace {

// Segments with random bodies, each cut into up to three parts, and what should arrive.
struct Load {
  std::vector<std::string> bodies;
  std::vector<Segment> segments;
  std::vector<std::string> expected;

  explicit Load(const std::vector<std::size_t>& sizes, std::uint32_t seed = 7) {
    std::mt19937 random{seed};
    for (const std::size_t size : sizes) {
      std::string body(size, '\0');
      for (char& byte : body)
        byte = static_cast<char>(random());
      bodies.push_back(std::move(body));
    }
    std::uint8_t number = 0;
    for (const std::string& body : bodies) {
      const auto all = bytes_of(body);
      const std::size_t first = all.size() / (number % 3U + 1U);
      Segment segment{.head = {std::byte{0}, std::byte{3}, std::byte{0}, std::byte{++number}}, .body = {}};
      segment.body[0] = all.first(first);
      segment.body[2] = all.subspan(first);
      expected.push_back(text_of(segment.head) + body);
      segments.push_back(segment);
    }
  }
};

struct Way {
  explicit Way(const char* text = "127.0.0.1:0")
      : client{address(text)}, socket{udp_socket(client.where().family())} {
    REQUIRE(bind_to(socket.get(), client.where().with_port(0)));
    REQUIRE(connect_to(socket.get(), client.where()));
    target = {.fd = socket.get(),
              .peer = nullptr,
              .source = nullptr,
              .path_mtu = 65535,
              .v6 = client.where().is_v6(),
              .gso = true};
  }
  void check_arrives(const std::vector<std::string>& expected) {
    for (const std::string& text : expected) {
      const auto packet = client.receive();
      REQUIRE(packet.has_value());
      REQUIRE(packet->text.size() == text.size());
      REQUIRE((packet->text == text));
    }
    CHECK_FALSE(client.receive(std::chrono::milliseconds{0}).has_value());
  }
  Client client;
  Fd socket;
  BurstTarget target;
  BurstWriter writer;
};

std::vector<std::size_t> sizes(std::size_t count, std::size_t size, std::size_t last) {
  std::vector<std::size_t> result(count, size);
  result.back() = last;
  return result;
}

}  // namespace

TEST_CASE("a burst arrives byte for byte, with GSO and without, over IPv4 and IPv6") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    for (const bool gso : {true, false}) {
      for (const std::size_t count : {1U, 2U, 3U, 16U, 63U, 64U, 65U, 130U}) {
        for (const std::size_t last : {0U, 1U, 511U, 512U}) {
          CAPTURE(text);
          CAPTURE(gso);
          CAPTURE(count);
          CAPTURE(last);
          Way way{text};
          way.target.gso = gso;
          const Load load{sizes(count, 512, last)};
          const Sent sent = way.writer.write(way.target, load.segments);
          CHECK(sent.status == SendStatus::ok);
          CHECK(sent.segments == count);
          CHECK(way.target.gso == gso);
          CHECK(way.writer.counters().gso_fallbacks == 0);
          CHECK((way.writer.counters().gso_sends > 0) == (gso && count > 1));
          CHECK(way.writer.counters().datagrams == count);
          way.check_arrives(load.expected);
        }
      }
    }
  }
}

TEST_CASE("a window of 16 blocks is one system call with GSO and one with sendmmsg") {
  for (const bool gso : {true, false}) {
    Way way;
    way.target.gso = gso;
    const Load load{sizes(16, 1428, 1428)};
    CHECK(way.writer.write(way.target, load.segments).segments == 16);
    CHECK(way.writer.counters().system_calls == 1);
    CHECK(way.writer.counters().bytes == std::uint64_t{16} * 1432);
  }
}

TEST_CASE("a burst longer than one GSO send may be is cut at 65,507 bytes") {
  Way way;
  const Load load{sizes(60, 4000, 17)};
  CHECK(way.writer.write(way.target, load.segments).status == SendStatus::ok);
  CHECK(way.writer.counters().gso_sends == 4);
  way.check_arrives(load.expected);
}

TEST_CASE("blocks over the path MTU go out plainly, up to the largest block of TFTP") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    for (const std::size_t size : {1469U, 8192U, 65464U}) {
      CAPTURE(text);
      CAPTURE(size);
      Way way{text};
      way.target.path_mtu = 1500;
      const Load load{sizes(2, size, 5000)};
      const Sent sent = way.writer.write(way.target, load.segments);
      CHECK(sent.status == SendStatus::ok);
      CHECK(sent.segments == 2);
      CHECK(way.writer.counters().gso_sends == 0);
      way.check_arrives(load.expected);
    }
  }
}

TEST_CASE("exactly the payload of the path MTU uses GSO, one byte more does not") {
  for (const bool v6 : {false, true}) {
    for (const std::size_t over : {0U, 1U}) {
      Way way{v6 ? "[::1]:0" : "127.0.0.1:0"};
      way.target.path_mtu = 1500;
      const Load load{sizes(4, (v6 ? 1448U : 1468U) + over, 10)};
      CHECK(way.writer.write(way.target, load.segments).segments == 4);
      CHECK((way.writer.counters().gso_sends > 0) == (over == 0));
      way.check_arrives(load.expected);
    }
  }
}

TEST_CASE("segments of mixed sizes arrive in order") {
  Way way;
  way.target.path_mtu = 1500;
  const Load load{{512, 512, 100, 512, 512, 512, 2000, 2000, 512, 8, 8, 8, 9, 1}};
  CHECK(way.writer.write(way.target, load.segments).segments == load.segments.size());
  way.check_arrives(load.expected);
}

TEST_CASE("a kernel that refuses GSO costs one call and the bytes still arrive") {
  Way way;
  // A segment over the device's MTU is refused with EINVAL: the same answer as from a kernel without GSO.
  way.target.path_mtu = 1U << 20;
  const Load load{sizes(2, 65464, 65464)};
  CHECK(way.writer.write(way.target, load.segments).segments == 2);
  CHECK(way.writer.counters().gso_fallbacks == 0);  // two of this size never fit one send
  const int no_checksum = 1;
  REQUIRE(::setsockopt(way.socket.get(), SOL_SOCKET, SO_NO_CHECK, &no_checksum, sizeof no_checksum) == 0);
  const Load small{sizes(8, 512, 3)};
  CHECK(way.writer.write(way.target, small.segments).status == SendStatus::ok);
  CHECK(way.writer.counters().gso_fallbacks == 1);
  CHECK_FALSE(way.target.gso);
  CHECK(way.writer.write(way.target, small.segments).status == SendStatus::ok);
  CHECK(way.writer.counters().gso_fallbacks == 1);
  std::vector<std::string> all = load.expected;
  for (int round = 0; round < 2; ++round)
    all.insert(all.end(), small.expected.begin(), small.expected.end());
  way.check_arrives(all);
}

// Loopback never fills a send buffer (it hands packets over at once); a local datagram pair does, and
// ignores the segment size, so that a GSO send arrives as one piece.
TEST_CASE("a full buffer is reported with what was taken, and the rest follows without loss") {
  for (const bool gso : {true, false}) {
    CAPTURE(gso);
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    const Fd from{pair[0]}, to{pair[1]};
    BurstTarget target{
        .fd = from.get(), .peer = nullptr, .source = nullptr, .path_mtu = 1500, .v6 = false, .gso = gso};
    BurstWriter writer;
    const Load load{sizes(1000, 1400, 9)};
    std::string sent_text, got_text;
    for (const std::string& text : load.expected)
      sent_text += text;
    std::size_t sent = 0;
    int refusals = 0;
    while (sent < load.segments.size()) {
      const Sent part = writer.write(target, std::span{load.segments}.subspan(sent));
      sent += part.segments;
      REQUIRE((part.status == SendStatus::would_block) == (sent < load.segments.size()));
      refusals += part.status == SendStatus::would_block ? 1 : 0;
      std::array<char, 100'000> buffer{};
      for (ssize_t size = 0; (size = ::recv(to.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
        got_text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    CHECK(refusals > 0);
    CHECK(writer.counters().datagrams == load.segments.size());
    CHECK((got_text == sent_text));
  }
}

TEST_CASE("a peer that is gone is an outcome of the next send") {
  Way way;
  { const Client moved = std::move(way.client); }
  CHECK(way.writer.write(way.target, bytes_of("anybody there?")).status == SendStatus::ok);
  const Load load{sizes(4, 512, 512)};
  const Sent sent = way.writer.write(way.target, load.segments);
  CHECK(sent.status == SendStatus::refused);
  CHECK(sent.segments == 0);
}

TEST_CASE("an unconnected socket sends to the peer and from the source given") {
  const Client client;
  const Fd socket = udp_socket(Family::v4);
  REQUIRE(bind_to(socket.get(), Address::any(Family::v4, 0)));
  const Address source = address("127.0.0.77:0");
  for (const bool gso : {true, false}) {
    BurstTarget target{.fd = socket.get(),
                       .peer = &client.where(),
                       .source = &source,
                       .path_mtu = 1500,
                       .v6 = false,
                       .gso = gso};
    BurstWriter writer;
    const Load load{sizes(5, 512, 4)};
    CHECK(writer.write(target, load.segments).segments == 5);
    CHECK((writer.counters().gso_sends == 1) == gso);
    for (const std::string& text : load.expected) {
      const auto packet = client.receive();
      REQUIRE(packet.has_value());
      CHECK(packet->text == text);
      CHECK(packet->from.same_ip(source));
    }
  }
}

TEST_CASE("an empty burst is no work") {
  Way way;
  CHECK(way.writer.write(way.target, std::span<const Segment>{}).status == SendStatus::ok);
  CHECK(way.writer.counters().system_calls == 0);
}
