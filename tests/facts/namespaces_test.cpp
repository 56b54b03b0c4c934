// Room loop in two network namespaces joined by a veth pair: broadcast, several addresses, small MTUs,
// link-local IPv6. Traffic stays inside. Skips (77) without the right to make namespaces or without `ip`.
#define DOCTEST_CONFIG_IMPLEMENT
#include "../unit/loop/peer.hpp"
#include "loop/claim.hpp"
#include "loop/deadlines.hpp"
#include "loop/listener.hpp"
#include "loop/peer_socket.hpp"
#include "loop/ports.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>
#include <vector>

using namespace tftpkit::loop;
using namespace tftpkit::loop::test;

namespace {

int server_ns = -1, client_ns = -1;

bool run(const std::string& command) {
  return std::system(command.c_str()) == 0;
}

// What is opened while it lives belongs to the client's side.
struct OnClientSide {
  OnClientSide() { enter(client_ns); }
  ~OnClientSide() { enter(server_ns); }
  static void enter(int ns) {
    if (::setns(ns, CLONE_NEWNET) != 0) std::abort();
  }
};

Client client_at(const Address& local) {
  const OnClientSide there;
  Client client{local};
  const int on = 1;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  return client;
}

bool make_namespace(int& fd) {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  fd = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  // Addresses are usable at once instead of after duplicate detection.
  return std::system("ip link set lo up && echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad") == 0;
}

bool make_namespaces() {
  if (!make_namespace(client_ns) || !make_namespace(server_ns)) return false;
  if (!run(fmt::format("ip link add srv type veth peer name cli netns /proc/{}/fd/{}", ::getpid(),
                       client_ns)) ||
      !run("ip address add 10.9.0.1/24 brd + dev srv && ip address add 10.9.0.2/24 brd + dev srv && "
           "ip address add 10.9.1.1/24 brd + dev srv && ip address add fd09::1/64 dev srv && "
           "ip address add fd09::2/64 dev srv && echo 0 > /proc/sys/net/ipv6/conf/srv/accept_dad && "
           "ip link set srv up"))  // addresses are used at once, without looking for duplicates first
    return false;
  const OnClientSide there;
  return run("ip address add 10.9.0.100/24 brd + dev cli && ip address add fd09::100/64 dev cli && "
             "echo 0 > /proc/sys/net/ipv6/conf/cli/accept_dad && ip link set cli up && ip route add default "
             "dev cli");
}

// A worker listening everywhere that opens a transfer for each request.
struct Server final : PeerEvents {
  explicit Server(const Address& where)
      : ports{loop, deadlines, batch, [](const Datagram&, const StrangerReply&) {}},
        listener{loop, batch, std::move(claim_ports({{where}}, 1).at(0).sockets.at(0)),
                 [this](const Datagram& datagram) { take(datagram); }} {}

  void take(const Datagram& datagram) {
    asked = datagram;
    int error = 0;
    socket = PeerSocket::open(ports, datagram.local, datagram.peer, datagram.broadcast, *this, error);
    REQUIRE_MESSAGE(socket.has_value(), error);
    CHECK(socket->send(bytes_of("answer")).status == SendStatus::ok);
  }
  // Asks and returns the first packet of the transfer.
  Packet answer_to(const Client& client, const Address& to) {
    socket.reset();
    client.send(to.with_port(listener.address().port()), "request");
    run_until(loop, [&] { return socket.has_value(); });
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->text == "answer");
    return *packet;
  }
  void on_packet(std::span<const std::byte> packet) override { got.push_back(text_of(packet)); }
  void on_refused() override { got.emplace_back("(refused)"); }
  void on_writable() override {}
  std::string next_text() {
    run_until(loop, [&] { return !got.empty(); });
    const std::string first = got.front();
    got.erase(got.begin());
    return first;
  }
  Loop loop;
  Deadlines deadlines{loop};
  ReceiveBatch batch;
  Datagram asked;
  Ports ports;
  std::vector<std::string> got;
  std::optional<PeerSocket> socket;
  Listener listener;
};

Address everywhere(Family family) {
  return Address::any(family, 6900);
}

void set_mtu(int mtu) {
  REQUIRE(run(fmt::format("ip link set srv mtu {}", mtu)));
  const OnClientSide there;
  REQUIRE(run(fmt::format("ip link set cli mtu {}", mtu)));
}

}  // namespace

TEST_CASE("every address of a machine answers from itself") {
  Server v4{everywhere(Family::v4)};
  const Client client = client_at(address("10.9.0.100:0"));
  for (const char* text : {"10.9.0.1", "10.9.0.2", "10.9.1.1"}) {
    const Packet packet = v4.answer_to(client, address(text));
    CHECK(packet.from.same_ip(address(text)));
    CHECK(packet.from == v4.socket->local());
    CHECK_FALSE(v4.asked.broadcast);
  }
  Server v6{everywhere(Family::v6)};
  const Client client6 = client_at(address("[fd09::100]:0"));
  for (const char* text : {"fd09::1", "fd09::2"})
    CHECK(v6.answer_to(client6, address(text)).from.same_ip(address(text)));
}

TEST_CASE("a socket on the wildcard without packet info answers from another address than asked") {
  const Client client = client_at(address("10.9.0.100:0"));
  const Client careless{Address::any(Family::v4, 0)};
  client.send(address("10.9.0.2").with_port(careless.where().port()), "request");
  const auto request = careless.receive();
  REQUIRE(request.has_value());
  careless.send(request->from, "answer");
  const auto answer = client.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->from.same_ip(address("10.9.0.1")));
}

TEST_CASE(
    "a request by broadcast is marked, answered from the interface's address, and broadcast ACKs arrive") {
  Server server{everywhere(Family::v4)};
  const Client client = client_at(Address::any(Family::v4, 0));
  for (const char* text : {"10.9.0.255", "255.255.255.255"}) {
    const Packet packet = server.answer_to(client, address(text));
    CHECK(server.asked.broadcast);
    CHECK(server.asked.local == address("10.9.0.1").with_port(6900));
    CHECK(packet.from.same_ip(address("10.9.0.1")));
    client.send(packet.from, "unicast ACK");
    CHECK(server.next_text() == "unicast ACK");
    client.send(address(text).with_port(packet.from.port()), "broadcast ACK");
    CHECK(server.next_text() == "broadcast ACK");
  }
}

TEST_CASE("a broadcast ACK does not reach a socket that is bound to one address") {
  const Client bound{address("10.9.0.1:0")}, wildcard{Address::any(Family::v4, 0)};
  const Client client = client_at(address("10.9.0.100:0"));
  client.send(address("10.9.0.255").with_port(bound.where().port()), "x");
  client.send(address("10.9.0.255").with_port(wildcard.where().port()), "x");
  CHECK(wildcard.receive().has_value());
  CHECK_FALSE(bound.receive(std::chrono::milliseconds{0}).has_value());
}

TEST_CASE("link-local and multicast requests over IPv6 are answered on their interface") {
  Server server{everywhere(Family::v6)};
  std::uint32_t scope = 0;
  {
    const OnClientSide there;
    scope = ::if_nametoindex("cli");
  }
  const Client client = client_at(Address::any(Family::v6, 0));
  const Packet by_multicast = server.answer_to(client, address("ff02::1").with_scope(scope));
  CHECK(server.asked.broadcast);
  CHECK(server.asked.peer.is_link_local());
  CHECK(by_multicast.from.is_link_local());
  client.send(by_multicast.from, "ACK");
  CHECK(server.next_text() == "ACK");
  const Packet by_unicast = server.answer_to(client, by_multicast.from);
  CHECK_FALSE(server.asked.broadcast);
  CHECK(by_unicast.from.same_ip(by_multicast.from));
}

TEST_CASE("the path MTU is the link's, blocks within it use GSO, larger ones arrive in fragments") {
  set_mtu(1400);
  for (const bool v6 : {false, true}) {
    Server server{everywhere(v6 ? Family::v6 : Family::v4)};
    const Client client = client_at(address(v6 ? "[fd09::100]:0" : "10.9.0.100:0"));
    server.answer_to(client, address(v6 ? "fd09::1" : "10.9.0.1"));
    CHECK(server.socket->path_mtu() == 1400);
    CHECK(server.socket->path_payload() == (v6 ? 1352U : 1372U));
    for (const std::size_t payload : {std::size_t{server.socket->path_payload()}, std::size_t{8192}}) {
      const std::string body(payload - 4, 'b');
      std::vector<Segment> segments(16);
      for (Segment& segment : segments)
        segment.body[0] = bytes_of(body);
      const auto before = server.ports.burst_writer().counters();
      CHECK(server.socket->send_burst(segments).segments == 16);
      CHECK(server.ports.burst_writer().counters().gso_sends - before.gso_sends ==
            (payload == 8192 ? 0U : 1U));
      for (int count = 0; count < 16; ++count) {
        const auto packet = client.receive();
        REQUIRE(packet.has_value());
        CHECK(packet->text.size() == payload);
      }
    }
  }
  set_mtu(1500);
}

TEST_CASE("a path MTU that shrinks below the segment costs one refused GSO send and no data") {
  Server server{everywhere(Family::v4)};
  const Client client = client_at(address("10.9.0.100:0"));
  server.answer_to(client, address("10.9.0.1"));
  CHECK(server.socket->path_mtu() == 1500);
  set_mtu(1000);
  const std::string body(1428, 'b');
  std::vector<Segment> segments(8);
  for (Segment& segment : segments)
    segment.body[0] = bytes_of(body);
  CHECK(server.socket->send_burst(segments).segments == 8);
  CHECK(server.ports.burst_writer().counters().gso_fallbacks == 1);
  CHECK_FALSE(server.socket->gso());
  for (int count = 0; count < 8; ++count)
    CHECK(client.receive().has_value());
  set_mtu(1500);
}

int main(int argc, char** argv) {
  if (std::system("ip -V > /dev/null 2>&1") != 0) {
    std::puts("skipped: the tool `ip` (package iproute2) is missing");
    return 77;
  }
  int probe = -1;
  if (!make_namespace(probe)) {
    std::puts("skipped: network namespaces need CAP_SYS_ADMIN (run as root)");
    return 77;
  }
  doctest::Context context{argc, argv};
  if (!make_namespaces()) {
    std::puts("skipped: this kernel gives no veth pair between namespaces");
    return 77;
  }
  return context.run();
}
