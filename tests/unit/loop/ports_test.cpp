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
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace tftpkit::loop;
using namespace tftpkit::loop::test;
using namespace std::chrono_literals;

namespace {

struct Stranger {
  std::string text;
  Address peer, local;
};

// One transfer's end of the talk: it remembers what it was told.
struct Talk final : PeerEvents {
  void on_packet(std::span<const std::byte> packet) override {
    got.push_back(text_of(packet));
    if (on_news) on_news();
  }
  void on_refused() override { got.emplace_back("(refused)"); }
  void on_writable() override { ++writable; }

  std::optional<PeerSocket> socket;
  std::vector<std::string> got;
  int writable = 0;
  std::function<void()> on_news;
};

struct House {
  explicit House(PortLimits limits = {})
      : ports{loop, deadlines, batch,
              [this](const Datagram& datagram, const StrangerReply& reply) {
                strangers.push_back({text_of(datagram.bytes), datagram.peer, datagram.local});
                CHECK(reply(bytes_of("unknown")) == 0);
              },
              limits} {}

  bool try_open(Talk& talk, const Address& peer, bool broadcast = false) {
    const Address local = address(peer.is_v6() ? "::1" : "127.0.0.1");
    talk.socket = PeerSocket::open(ports, local, peer, broadcast, talk, error);
    return talk.socket.has_value();
  }
  PeerSocket& open(Talk& talk, const Address& peer, bool broadcast = false) {
    REQUIRE_MESSAGE(try_open(talk, peer, broadcast), error);
    return *talk.socket;
  }
  std::string next(Talk& talk) {
    run_until(loop, [&] { return !talk.got.empty(); });
    const std::string first = talk.got.front();
    talk.got.erase(talk.got.begin());
    return first;
  }
  Loop loop;
  Deadlines deadlines{loop};
  ReceiveBatch batch;
  std::vector<Stranger> strangers;
  int error = 0;
  Ports ports;
};

}  // namespace

TEST_CASE("a transfer's socket talks with its peer from the address asked, over IPv4 and IPv6") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    House house;
    const Client client{address(text)};
    Talk talk;
    PeerSocket& socket = house.open(talk, client.where());
    CHECK(socket.local().same_ip(client.where()));
    CHECK(socket.peer() == client.where());
    CHECK(socket.send(bytes_of("data")).status == SendStatus::ok);
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->text == "data");
    CHECK(packet->from == socket.local());
    client.send(socket.local(), "ack");
    client.send(socket.local(), "");
    CHECK(house.next(talk) == "ack");
    CHECK(house.next(talk) == "");
    run_turns(house.loop);
    CHECK(talk.got.empty());
  }
}

TEST_CASE("the path MTU of loopback is known, and its payload fits the headers in") {
  House house;
  const Client v4, v6{address("[::1]:0")};
  Talk talk, talk6;
  // The device has 65,536; an IPv4 packet ends at 65,535.
  CHECK(house.open(talk, v4.where()).path_mtu() == 65535);
  CHECK(talk.socket->path_payload() == 65535 - 28);
  CHECK(house.open(talk6, v6.where()).path_payload() == 65536 - 48);
}

TEST_CASE("a stranger on a transfer port is noticed, answered from that port, and hurts nobody") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    House house;
    const Client client{address(text)}, stranger{address(text)};
    Talk talk;
    const PeerSocket& socket = house.open(talk, client.where());
    stranger.send(socket.local(), "who am I");
    run_until(house.loop, [&] { return !house.strangers.empty(); });
    CHECK(house.strangers[0].text == "who am I");
    CHECK(house.strangers[0].peer == stranger.where());
    CHECK(house.strangers[0].local == socket.local());
    const auto answer = stranger.receive();
    REQUIRE(answer.has_value());
    CHECK(answer->text == "unknown");
    CHECK(answer->from == socket.local());
    CHECK(talk.got.empty());
    client.send(socket.local(), "ack");
    CHECK(house.next(talk) == "ack");
    CHECK(house.ports.counters().strangers == 1);
  }
}

TEST_CASE("a peer that is gone is told to its transfer, every time, and to no other on the port") {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    House house{PortLimits{.ports_idle = 2}};
    auto client = std::make_optional<Client>(address(text));
    const Client other{address(text)}, third{address(text)};
    Talk talk, others, thirds;
    house.open(thirds,
               third.where());  // the first of two ports; the second and third transfer share the other
    PeerSocket& socket = house.open(talk, client->where());
    PeerSocket& neighbour = house.open(others, other.where());
    REQUIRE(neighbour.local() == socket.local());
    client.reset();
    for (int round = 0; round < 3; ++round) {
      CHECK(socket.send(bytes_of("data")).status == SendStatus::ok);
      // The error is there by now; the neighbour's packets leave all the same.
      CHECK(neighbour.send(bytes_of("data")).status == SendStatus::ok);
      CHECK(house.next(talk) == "(refused)");
      CHECK(other.receive().has_value());
    }
    CHECK(others.got.empty());
    other.send(neighbour.local(), "ack");
    CHECK(house.next(others) == "ack");
  }
}

TEST_CASE("writable is told once for each time it is awaited") {
  House house;
  const Client client;
  Talk talk;
  PeerSocket& socket = house.open(talk, client.where());
  run_turns(house.loop);
  CHECK(talk.writable == 0);
  socket.await_writable();
  socket.await_writable();
  run_until(house.loop, [&] { return talk.writable > 0; });
  run_turns(house.loop);
  CHECK(talk.writable == 1);
}

TEST_CASE("a transfer that ends while it awaits room is not told") {
  House house;
  const Client client;
  Talk talk;
  house.open(talk, client.where()).await_writable();
  talk.socket.reset();
  run_turns(house.loop);
  CHECK(talk.writable == 0);
}

TEST_CASE("a transfer may end inside its own callback, on a shared port and on one of its own") {
  for (const bool broadcast : {false, true}) {
    House house;
    const Client client;
    Talk talk;
    const Address local = house.open(talk, client.where(), broadcast).local();
    talk.on_news = [&] { talk.socket.reset(); };
    client.send(local, "1");
    client.send(local, "2");
    run_until(house.loop, [&] { return !talk.got.empty(); });
    run_turns(house.loop);
    CHECK(talk.got == std::vector<std::string>{"1"});
    CHECK(house.ports.counters().sessions == 0);
  }
}

TEST_CASE("a transfer may end inside the callback of another on its port") {
  House house{PortLimits{.ports_idle = 2}};
  const Client first, second, third;
  Talk talk, skipped, other;
  house.open(skipped, second.where());
  house.open(talk, first.where());
  house.open(other, third.where());
  REQUIRE(talk.socket->local() == other.socket->local());
  const Address local = talk.socket->local();
  talk.on_news = [&] { other.socket.reset(); };
  first.send(local, "1");
  third.send(local, "2");
  run_until(house.loop, [&] { return !house.strangers.empty(); });
  CHECK(other.got.empty());
  CHECK(house.strangers[0].peer == third.where());
}

TEST_CASE("what begins in one turn shares a port, and its first packets leave in one system call") {
  House house;
  std::vector<Client> clients(20);
  std::deque<Talk> talks(20);
  Talk opens_the_ports;
  for (int port = 0; port < 8; ++port) {
    const Client client;
    house.open(opens_the_ports, client.where());
  }
  const auto calls = house.ports.burst_writer().counters().system_calls;
  house.loop.post([&] {
    house.ports.gather(true);
    for (std::size_t at = 0; at < clients.size(); ++at)
      CHECK(house.open(talks[at], clients[at].where()).send(bytes_of("first")).segments == 1);
    house.ports.gather(false);
  });
  run_until(house.loop, [&] { return talks.back().socket.has_value(); });
  for (std::size_t at = 0; at < clients.size(); ++at) {
    const auto packet = clients[at].receive();
    REQUIRE(packet.has_value());
    CHECK(packet->text == "first");
    CHECK(packet->from == talks[at].socket->local());
  }
  CHECK(house.ports.burst_writer().counters().system_calls - calls <= 2);
}

TEST_CASE("small answers to a batch of packets arrive whole, each at its peer, in their order") {
  House house{PortLimits{.ports_idle = 2}};
  const Client client;
  Talk talk;
  PeerSocket& socket = house.open(talk, client.where());
  const std::string large(4000, 'l');
  talk.on_news = [&] {
    std::array<Segment, 1> segments{};
    const std::string body = talk.got.back() == "large" ? large : talk.got.back();
    segments[0].body[0] = bytes_of(body);
    CHECK(socket.send_burst(segments).segments == 1);
  };
  for (const char* text : {"one", "two", "large", "four"})
    client.send(socket.local(), text);
  const auto calls = house.ports.burst_writer().counters().system_calls;
  for (const std::string& text : {std::string{"one"}, std::string{"two"}, large, std::string{"four"}}) {
    run_until(house.loop, [&] { return talk.got.size() == 4; });
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->text.substr(4) == text);
  }
  CHECK(house.ports.burst_writer().counters().system_calls - calls == 3);
  CHECK(house.ports.burst_writer().counters().datagrams == 4);
}

TEST_CASE("moving one transfer's socket over another closes the other and keeps the count right") {
  House house;
  const Client first, second;
  Talk talk, other;
  house.open(talk, first.where());
  const Address gone = talk.socket->local();
  house.open(other, second.where());
  *talk.socket = std::move(*other.socket);
  CHECK(house.ports.counters().sessions == 1);
  first.send(gone, "late");
  second.send(talk.socket->local(), "mine");
  CHECK(house.next(other) == "mine");
  run_until(house.loop, [&] { return !house.strangers.empty(); });
  CHECK(talk.got.empty());
}

TEST_CASE("consecutive transfers of one peer never get the same port, one after the other or at once") {
  House house;
  const Client client;
  std::uint16_t last = 0;
  std::set<std::uint16_t> seen;
  for (int transfer = 0; transfer < 50; ++transfer) {
    Talk talk;
    CHECK(house.open(talk, client.where()).local().port() != last);
    last = talk.socket->local().port();
    seen.insert(last);
  }
  CHECK(seen.size() >= 8);
  std::deque<Talk> together(100);
  seen.clear();
  for (Talk& talk : together)
    seen.insert(house.open(talk, client.where()).local().port());
  CHECK(seen.size() == 100);
}

TEST_CASE("3000 transfers share few ports, and every packet finds its own") {
  House house;
  std::vector<Client> clients(300);
  std::deque<Talk> talks(3000);
  for (std::size_t at = 0; at < talks.size(); ++at)
    house.open(talks[at], clients[at % clients.size()].where());
  CHECK(house.ports.counters().sessions == 3000);
  CHECK(house.ports.counters().ports <= 40);
  for (std::size_t at = 0; at < talks.size(); at += 7)
    clients[at % clients.size()].send(talks[at].socket->local(), std::to_string(at));
  for (std::size_t at = 0; at < talks.size(); at += 7)
    CHECK(house.next(talks[at]) == std::to_string(at));
  CHECK(house.strangers.empty());
  // The peer of one transfer is a stranger on the port of another.
  const Client stranger;
  stranger.send(talks[150].socket->local(), "lost");
  run_until(house.loop, [&] { return !house.strangers.empty(); });
  CHECK(house.strangers[0].peer == stranger.where());
}

TEST_CASE("a transfer by broadcast request hears its peer and answers from the address given") {
  House house;
  const Client client, stranger;
  const Address asked = address("127.0.0.1:69");
  Talk talk;
  talk.socket = PeerSocket::open(house.ports, asked, client.where(), true, talk, house.error);
  REQUIRE(talk.socket.has_value());
  PeerSocket& socket = *talk.socket;
  CHECK(socket.path_mtu() == 65535);
  CHECK(socket.local().same_ip(asked));
  std::array<std::string, 3> bodies{std::string(512, 'a'), std::string(512, 'b'), std::string(7, 'c')};
  std::array<Segment, 3> segments{};
  for (std::size_t at = 0; at < 3; ++at)
    segments[at].body[0] = bytes_of(bodies[at]);
  CHECK(socket.send_burst(segments).segments == 3);
  for (const std::string& body : bodies) {
    const auto packet = client.receive();
    REQUIRE(packet.has_value());
    CHECK(packet->from == socket.local());
    CHECK(packet->text.substr(4) == body);
  }
  stranger.send(socket.local(), "who am I");
  client.send(socket.local(), "ack");
  CHECK(house.next(talk) == "ack");
  REQUIRE(house.strangers.size() == 1);
  CHECK(house.strangers[0].peer == stranger.where());
  const auto answer = stranger.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->from == socket.local());
}

TEST_CASE("idle ports are closed and addresses long idle forgotten") {
  House house{PortLimits{.ports_idle = 4, .peers_per_port = 2, .address_idle = 0s}};
  {
    std::vector<Client> clients(40);
    std::deque<Talk> talks(40);
    for (std::size_t at = 0; at < clients.size(); ++at)
      house.open(talks[at], clients[at].where());
    CHECK(house.ports.counters().ports >= 20);
    CHECK(house.ports.counters().addresses == 1);
  }
  house.ports.tidy();
  CHECK(house.ports.counters().addresses == 0);
  CHECK(house.ports.counters().ports == 0);
}

TEST_CASE("ports that many transfers needed are closed when few are left") {
  House house{PortLimits{.ports_idle = 8, .peers_per_port = 2}};
  std::vector<Client> clients(200);
  std::deque<Talk> talks(200);
  for (std::size_t at = 0; at < clients.size(); ++at)
    house.open(talks[at], clients[at].where());
  const std::size_t busy = house.ports.counters().ports;
  while (talks.size() > 1)
    talks.pop_front();
  house.ports.tidy();
  CHECK(busy >= 100);
  CHECK(house.ports.counters().ports == 8);
  clients.back().send(talks.back().socket->local(), "still here");
  CHECK(house.next(talks.back()) == "still here");
}

TEST_CASE("what cannot be opened says why") {
  House house;
  const Client client;
  Talk talk;
  const auto open = [&](const char* local) {
    return PeerSocket::open(house.ports, address(local), client.where(), false, talk, house.error);
  };
  CHECK_FALSE(open("192.0.2.1").has_value());
  CHECK(house.error == EADDRNOTAVAIL);
  CHECK_FALSE(house.try_open(talk, address("127.0.0.1:0")));
  CHECK(house.error == EINVAL);
  CHECK_FALSE(open("::1").has_value());
  CHECK(house.error == EINVAL);
  CHECK(house.ports.counters().sessions == 0);
}

TEST_CASE("packets longer than 2,048 bytes are cut") {
  House house;
  const Client client;
  Talk talk;
  client.send(house.open(talk, client.where()).local(), std::string(3000, 'x'));
  CHECK(house.next(talk) == std::string(2048, 'x'));
}
