// Transfer ports and the sockets of transfers.
#include "loop/deadlines.hpp"
#include "loop/loop.hpp"
#include "loop/peer_socket.hpp"
#include "loop/ports.hpp"
#include "peer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <vector>

using namespace tftpkit::loop;
using namespace tftpkit::loop::test;
using namespace std::chrono_literals;

namespace {

struct Stranger {
  std::string text;
  Address peer, local;
};

struct House {
  explicit House(PortLimits limits = {})
      : ports{loop, deadlines, batch,
              [this](const Datagram& datagram, const StrangerReply& reply) {
                strangers.push_back({text_of(datagram.bytes), datagram.peer, datagram.local});
                CHECK(reply(bytes_of("unknown")) == 0);
              },
              limits} {}

  std::optional<PeerSocket> try_open(const Address& peer, bool broadcast = false) {
    return PeerSocket::open(ports, address(peer.is_v6() ? "::1" : "127.0.0.1"), peer, broadcast, error);
  }
  PeerSocket open(const Address& peer, bool broadcast = false) {
    auto opened = try_open(peer, broadcast);
    REQUIRE_MESSAGE(opened.has_value(), error);
    return std::move(*opened);
  }
  Loop loop;
  Deadlines deadlines{loop};
  ReceiveBatch batch;
  std::vector<Stranger> strangers;
  int error = 0;
  Ports ports;
};

std::string received(PeerSocket& socket) {
  std::array<std::byte, 2048> buffer{};
  const Received got = socket.receive(buffer);
  switch (got.status) {
  case ReceiveStatus::bytes: return text_of(std::span{buffer}.first(got.size));
  case ReceiveStatus::would_block: return "(nothing)";
  case ReceiveStatus::refused: return "(refused)";
  default: return "(failed)";
  }
}

}  // namespace

TEST_CASE("a transfer's socket talks with its peer from the address asked, over IPv4 and IPv6") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    House house;
    const Client client{address(text)};
    PeerSocket socket = house.open(client.where());
    CHECK(socket.local().same_ip(client.where()));
    CHECK(socket.peer() == client.where());
    CHECK(socket.send(bytes_of("data")).status == SendStatus::ok);
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->text == "data");
    CHECK(packet->from == socket.local());
    CHECK(received(socket) == "(nothing)");
    client.send(socket.local(), "ack");
    client.send(socket.local(), "");
    CHECK(received(socket) == "ack");
    CHECK(received(socket) == "");
    CHECK(received(socket) == "(nothing)");
  }
}

TEST_CASE("the path MTU of loopback is known, and its payload fits the headers in") {
  House house;
  const Client v4, v6{address("[::1]:0")};
  // The device has 65,536; an IPv4 packet ends at 65,535.
  CHECK(house.open(v4.where()).path_mtu() == 65535);
  CHECK(house.open(v4.where()).path_payload() == 65535 - 28);
  CHECK(house.open(v6.where()).path_payload() == 65536 - 48);
}

TEST_CASE("a stranger on a transfer port is noticed, answered from that port, and hurts nobody") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    House house;
    const Client client{address(text)}, stranger{address(text)};
    PeerSocket socket = house.open(client.where());
    stranger.send(socket.local(), "who am I");
    run_until(house.loop, [&] { return !house.strangers.empty(); });
    CHECK(house.strangers[0].text == "who am I");
    CHECK(house.strangers[0].peer == stranger.where());
    CHECK(house.strangers[0].local == socket.local());
    const auto answer = stranger.receive();
    REQUIRE(answer.has_value());
    CHECK(answer->text == "unknown");
    CHECK(answer->from == socket.local());
    CHECK(received(socket) == "(nothing)");
    client.send(socket.local(), "ack");
    CHECK(received(socket) == "ack");
    CHECK(house.ports.counters().strangers == 1);
  }
}

TEST_CASE("the readable callback comes for the peer's packet and not for a stranger's") {
  House house;
  const Client client, stranger;
  PeerSocket socket = house.open(client.where());
  std::vector<std::string> got;
  REQUIRE(socket.watch([&](Ready ready) {
    CHECK(ready.readable);
    got.push_back(received(socket));
  }) == 0);
  stranger.send(socket.local(), "x");
  run_until(house.loop, [&] { return house.strangers.size() == 1; });
  CHECK(got.empty());
  client.send(socket.local(), "ack");
  run_until(house.loop, [&] { return !got.empty(); });
  CHECK(got == std::vector<std::string>{"ack"});
}

TEST_CASE("a peer that is gone wakes the transfer, which then hears refused, every time") {
  House house;
  auto client = std::make_optional<Client>();
  PeerSocket socket = house.open(client->where());
  client.reset();
  std::vector<std::string> got;
  REQUIRE(socket.watch([&](Ready ready) {
    CHECK(ready.error);
    got.push_back(received(socket));
  }) == 0);
  for (std::size_t round = 1; round <= 3; ++round) {
    CHECK(socket.send(bytes_of("data")).status == SendStatus::ok);
    run_until(house.loop, [&] { return got.size() == round; });
  }
  CHECK(got == std::vector<std::string>(3, "(refused)"));
}

TEST_CASE("writable is told only while it is wanted") {
  House house;
  const Client client;
  PeerSocket socket = house.open(client.where());
  int writable = 0;
  REQUIRE(socket.watch([&](Ready ready) { writable += ready.writable ? 1 : 0; }) == 0);
  run_turns(house.loop);
  CHECK(writable == 0);
  socket.want_writable(true);
  run_until(house.loop, [&] { return writable > 0; });
  socket.want_writable(false);
  writable = 0;
  run_turns(house.loop);
  CHECK(writable == 0);
}

TEST_CASE("a transfer may end inside its own callback") {
  House house;
  const Client client;
  std::optional<PeerSocket> socket = house.open(client.where());
  int calls = 0;
  REQUIRE(socket->watch([&](Ready) {
    ++calls;
    socket.reset();
  }) == 0);
  client.send(socket->local(), "1");
  client.send(socket->local(), "2");
  run_until(house.loop, [&] { return calls > 0; });
  run_turns(house.loop);
  CHECK(calls == 1);
  CHECK(house.ports.counters().sessions == 0);
}

TEST_CASE("moving one transfer's socket over another closes the other and keeps the port count right") {
  House house;
  const Client first, second;
  PeerSocket socket = house.open(first.where());
  std::vector<std::string> got;
  REQUIRE(socket.watch([&](Ready) { FAIL("the first socket is gone"); }) == 0);
  socket = house.open(second.where());
  REQUIRE(socket.watch([&](Ready) { got.push_back(received(socket)); }) == 0);
  CHECK(house.ports.counters().sessions == 1);
  second.send(socket.local(), "mine");
  run_until(house.loop, [&] { return !got.empty(); });
  CHECK(got == std::vector<std::string>{"mine"});
}

TEST_CASE("consecutive transfers of one peer never get the same port, one after the other or at once") {
  House house;
  const Client client;
  std::uint16_t last = 0;
  std::set<std::uint16_t> seen;
  for (int transfer = 0; transfer < 50; ++transfer) {
    const PeerSocket socket = house.open(client.where());
    CHECK(socket.local().port() != last);
    last = socket.local().port();
    seen.insert(last);
  }
  CHECK(seen.size() >= 8);
  std::deque<PeerSocket> together;
  seen.clear();
  for (int transfer = 0; transfer < 100; ++transfer) {
    together.push_back(house.open(client.where()));
    seen.insert(together.back().local().port());
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("300 transfers share ports, at most four on one, and every packet finds its own") {
  House house;
  std::vector<Client> clients(300);
  std::vector<PeerSocket> sockets;
  sockets.reserve(clients.size());
  std::map<std::uint16_t, int> on_port;
  for (const Client& client : clients) {
    sockets.push_back(house.open(client.where()));
    ++on_port[sockets.back().local().port()];
  }
  CHECK(on_port.size() >= 75);
  CHECK(on_port.size() <= 150);
  for (const auto& [port, count] : on_port)
    CHECK(count <= 4);
  CHECK(house.ports.counters().sessions == 300);
  CHECK(house.ports.counters().ports <= 150);
  for (std::size_t index = 0; index < clients.size(); ++index)
    clients[index].send(sockets[index].local(), std::to_string(index));
  for (std::size_t index = 0; index < clients.size(); ++index)
    CHECK(received(sockets[index]) == std::to_string(index));
  run_turns(house.loop);
  CHECK(house.strangers.empty());
  // The peer of one transfer is a stranger on the port of another.
  clients[0].send(sockets[150].local(), "lost");
  run_until(house.loop, [&] { return !house.strangers.empty(); });
  CHECK(house.strangers[0].peer == clients[0].where());
}

TEST_CASE("64 ports are in rotation when 60 transfers run at once") {
  House house;
  std::vector<Client> clients(60);
  std::vector<PeerSocket> sockets;
  sockets.reserve(clients.size());
  for (const Client& client : clients)
    sockets.push_back(house.open(client.where()));
  std::set<std::uint16_t> seen;
  const Client another;
  for (int transfer = 0; transfer < 200; ++transfer)
    seen.insert(house.open(another.where()).local().port());
  CHECK(seen.size() >= 60);
}

TEST_CASE("a transfer by broadcast request hears its peer and answers from the address given") {
  House house;
  const Client client, stranger;
  const Address asked = address("127.0.0.1:69");
  auto socket = PeerSocket::open(house.ports, asked, client.where(), true, house.error);
  REQUIRE(socket.has_value());
  CHECK(socket->path_mtu() == 65535);
  CHECK(socket->local().same_ip(asked));
  std::array<std::string, 3> bodies{std::string(512, 'a'), std::string(512, 'b'), std::string(7, 'c')};
  std::array<Segment, 3> segments{};
  for (std::size_t at = 0; at < 3; ++at)
    segments[at].body[0] = bytes_of(bodies[at]);
  CHECK(socket->send_burst(segments).segments == 3);
  for (const std::string& body : bodies) {
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->from == socket->local());
    CHECK(packet->text.substr(4) == body);
  }
  stranger.send(socket->local(), "who am I");
  client.send(socket->local(), "ack");
  CHECK(received(*socket) == "ack");
  REQUIRE(house.strangers.size() == 1);
  CHECK(house.strangers[0].peer == stranger.where());
  const auto answer = stranger.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->from == socket->local());
}

TEST_CASE("a flood of strangers on an unconnected socket is answered in bounded portions") {
  House house;
  const Client client, stranger;
  PeerSocket socket = house.open(client.where(), true);
  for (int count = 0; count < 100; ++count)
    stranger.send(socket.local(), "x");
  CHECK(received(socket) == "(nothing)");
  CHECK(house.strangers.size() == 64);
}

TEST_CASE("idle ports are closed and addresses long idle forgotten") {
  House house{PortLimits{.ports_idle = 4, .ports_busy = 64, .peers_per_port = 4, .address_idle = 0s}};
  {
    std::vector<Client> clients(40);
    std::vector<PeerSocket> sockets;
    sockets.reserve(clients.size());
    for (const Client& client : clients)
      sockets.push_back(house.open(client.where()));
    CHECK(house.ports.counters().ports == 40);
    CHECK(house.ports.counters().addresses == 1);
  }
  CHECK(house.ports.counters().ports == 40);
  house.ports.tidy();
  CHECK(house.ports.counters().addresses == 0);
  CHECK(house.ports.counters().ports == 0);
}

TEST_CASE("ports that many transfers needed are closed when few are left") {
  House house;
  std::vector<Client> clients(200);
  std::deque<PeerSocket> sockets;
  for (const Client& client : clients)
    sockets.push_back(house.open(client.where()));
  const std::size_t busy = house.ports.counters().ports;
  while (sockets.size() > 2)
    sockets.pop_front();
  house.ports.tidy();
  CHECK(busy >= 64);
  CHECK(house.ports.counters().ports == 10);
  clients.back().send(sockets.back().local(), "still here");
  CHECK(received(sockets.back()) == "still here");
}

TEST_CASE("what cannot be opened says why") {
  House house;
  const Client client;
  CHECK_FALSE(
      PeerSocket::open(house.ports, address("192.0.2.1"), client.where(), false, house.error).has_value());
  CHECK(house.error == EADDRNOTAVAIL);
  CHECK_FALSE(house.try_open(address("127.0.0.1:0")).has_value());
  CHECK(house.error == EINVAL);
  CHECK_FALSE(PeerSocket::open(house.ports, address("::1"), client.where(), false, house.error).has_value());
  CHECK(house.error == EINVAL);
  CHECK(house.ports.counters().sessions == 0);
}

TEST_CASE("packets longer than the buffer are cut") {
  House house;
  const Client client;
  PeerSocket socket = house.open(client.where());
  client.send(socket.local(), "123456789");
  std::array<std::byte, 4> small{};
  const Received got = socket.receive(small);
  CHECK(got.status == ReceiveStatus::bytes);
  CHECK(text_of(std::span{small}.first(got.size)) == "1234");
}
