// Claiming ports and listening on them.
#include "loop/claim.hpp"
#include "loop/listener.hpp"
#include "loop/loop.hpp"
#include "loop/sockets.hpp"
#include "peer.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <vector>

using namespace tftpkit::loop;
using namespace tftpkit::loop::test;

namespace {

std::vector<ClaimedPort> claim(std::vector<Address> addresses, unsigned workers = 1) {
  return claim_ports(addresses, workers);
}

struct Failure {
  int error = 0;
  std::string text;
  Address address;
};

Failure failure_of(std::vector<Address> addresses, unsigned workers = 1) {
  try {
    claim(std::move(addresses), workers);
    return {};
  } catch (const ClaimError& error) {
    return {error.error(), error.what(), error.address()};
  }
}

// One worker at one address.
struct Listening {
  explicit Listening(const char* text) : Listening{claim({address(text)})} {}
  explicit Listening(std::vector<ClaimedPort> claimed)
      : listener{loop, batch, std::move(claimed.at(0).sockets.at(0)),
                 [this](const Datagram& got) { take(got); }} {}

  void take(const Datagram& got) {
    last = got;
    last.bytes = {};
    texts.push_back(text_of(got.bytes));
  }
  Loop loop;
  ReceiveBatch batch;
  std::vector<std::string> texts;
  Datagram last;
  Listener listener;
};

}  // namespace

TEST_CASE("port 0 becomes one port that all workers share") {
  const auto claimed = claim({address("127.0.0.1:0")}, 3);
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].address.port() != 0);
  REQUIRE(claimed[0].sockets.size() == 3);
  for (const Fd& socket : claimed[0].sockets)
    CHECK(bound_address(socket.get()) == claimed[0].address);
}

TEST_CASE("both wildcards at port 0 get the same port") {
  const auto claimed = claim({Address::any(Family::v4, 0), Address::any(Family::v6, 0)}, 2);
  REQUIRE(claimed.size() == 2);
  CHECK(claimed[0].address.port() == claimed[1].address.port());
  CHECK(claimed[0].address.is_v4());
  CHECK(claimed[1].address.is_v6());
}

TEST_CASE("a second copy on the same port is refused and told why") {
  const auto first = claim({address("127.0.0.1:0")}, 2);
  const Failure second = failure_of({first[0].address}, 2);
  CHECK(second.error == EADDRINUSE);
  CHECK(second.address == first[0].address);
  CHECK(second.text.find("second copy") != std::string::npos);
  CHECK(second.text.find(first[0].address.to_string()) != std::string::npos);
}

TEST_CASE("a wildcard and a single address of the same port refuse each other, whichever came first") {
  const auto everywhere = claim({Address::any(Family::v4, 0)}, 2);
  CHECK(failure_of({address("127.0.0.1").with_port(everywhere[0].address.port())}).error == EADDRINUSE);
  const auto one = claim({address("127.0.0.1:0")}, 2);
  CHECK(failure_of({Address::any(Family::v4, one[0].address.port())}).error == EADDRINUSE);
}

TEST_CASE("a failure leaves nothing bound") {
  const auto taken = claim({address("127.0.0.1:0")});
  const auto freed = claim({address("127.0.0.1:0")})[0].address;
  CHECK(failure_of({freed, taken[0].address}).error == EADDRINUSE);
  CHECK(failure_of({freed}).error == 0);
}

TEST_CASE("an address of another machine is refused with the way to find the right ones") {
  const Failure failure = failure_of({address("192.0.2.1:0")});
  CHECK(failure.error == EADDRNOTAVAIL);
  CHECK(failure.text.find("`ip address` lists") != std::string::npos);
}

TEST_CASE("two addresses of one list that cover each other are named, not taken for another program") {
  const Failure failure = failure_of({address("0.0.0.0:7777"), address("127.0.0.1:7777")});
  CHECK(failure.text.find("0.0.0.0:7777 in the same list covers it already") != std::string::npos);
}

TEST_CASE("a datagram comes with its bytes, its sender and the address it was sent to") {
  Listening here{"0.0.0.0:0"};
  const std::uint16_t port = here.listener.address().port();
  const Client client;
  client.send(address("127.0.0.9").with_port(port), "hello");
  run_until(here.loop, [&] { return !here.texts.empty(); });
  CHECK(here.texts == std::vector<std::string>{"hello"});
  CHECK(here.last.peer == client.where());
  CHECK(here.last.local == address("127.0.0.9").with_port(port));
  CHECK(here.last.interface_index == 1);
  CHECK_FALSE(here.last.truncated);
  CHECK_FALSE(here.last.broadcast);
}

TEST_CASE("an answer leaves from the address asked") {
  for (const char* text : {"0.0.0.0:0", "[::]:0"}) {
    Listening here{text};
    const bool v6 = here.listener.address().is_v6();
    const Client client{address(v6 ? "[::1]:0" : "127.0.0.1:0")};
    const Address asked = address(v6 ? "::1" : "127.0.0.9").with_port(here.listener.address().port());
    client.send(asked, "hello");
    run_until(here.loop, [&] { return !here.texts.empty(); });
    CHECK(here.last.local == asked);
    CHECK(here.listener.send_to(here.last.peer, here.last.local, bytes_of("no")) == 0);
    const auto answer = client.receive();
    REQUIRE(answer.has_value());
    CHECK(answer->text == "no");
    CHECK(answer->from == asked);
  }
}

TEST_CASE("empty and over-long datagrams are delivered as what they are") {
  Listening here{"127.0.0.1:0"};
  const Client client;
  client.send(here.listener.address(), "");
  client.send(here.listener.address(), std::string(2048, 'a'));
  run_until(here.loop, [&] { return here.texts.size() == 2; });
  CHECK(here.texts[0].empty());
  CHECK(here.texts[1].size() == 2048);
  CHECK_FALSE(here.last.truncated);
  client.send(here.listener.address(), std::string(2049, 'b'));
  run_until(here.loop, [&] { return here.texts.size() == 3; });
  CHECK(here.texts[2] == std::string(2048, 'b'));
  CHECK(here.last.truncated);
}

TEST_CASE("a thousand datagrams come in order, in batches, and no turn takes more than 256") {
  Listening here{"127.0.0.1:0"};
  const Client client;
  std::vector<std::string> sent;
  for (int number = 0; number < 1000; ++number) {
    sent.push_back(std::to_string(number));
    client.send(here.listener.address(), sent.back());
  }
  std::size_t most = 0;
  run_until(here.loop, [&] {
    const std::size_t before = here.texts.size();
    run_turns(here.loop, 1);
    most = std::max(most, here.texts.size() - before);
    return here.texts.size() == 1000;
  });
  CHECK(here.texts == sent);
  CHECK(most <= 256);
  CHECK(most > 64);
  CHECK(here.listener.counters().datagrams == 1000);
  CHECK(here.listener.counters().batches < 100);
}

TEST_CASE("a listener may be destroyed inside its callback") {
  Loop loop;
  ReceiveBatch batch;
  auto claimed = claim({address("127.0.0.1:0")});
  const Address where = claimed[0].address;
  std::unique_ptr<Listener> listener;
  int calls = 0;
  listener = std::make_unique<Listener>(loop, batch, std::move(claimed[0].sockets[0]),
                                        [&, text = std::string(100, 'x')](const Datagram&) {
                                          ++calls;
                                          listener.reset();
                                          CHECK(text.size() == 100);
                                        });
  const Client client;
  for (int count = 0; count < 3; ++count)
    client.send(where, "x");
  run_until(loop, [&] { return calls > 0; });
  run_turns(loop);
  CHECK(calls == 1);
}

TEST_CASE("every client meets the same worker again") {
  auto claimed = claim({address("127.0.0.1:0")}, 4);
  const Address where = claimed[0].address;
  Loop loop;
  ReceiveBatch batch;
  std::map<Address, std::set<int>> workers_of;
  std::set<int> busy;
  std::vector<std::unique_ptr<Listener>> listeners;
  int got = 0;
  for (int worker = 0; worker < 4; ++worker)
    listeners.push_back(std::make_unique<Listener>(
        loop, batch, std::move(claimed[0].sockets[static_cast<std::size_t>(worker)]),
        [&, worker](const Datagram& datagram) {
          workers_of[datagram.peer].insert(worker);
          busy.insert(worker);
          ++got;
        }));
  std::vector<Client> clients(64);
  for (int round = 0; round < 3; ++round)
    for (const Client& client : clients)
      client.send(where, "x");
  run_until(loop, [&] { return got == 3 * 64; });
  CHECK(workers_of.size() == 64);
  for (const auto& [peer, workers] : workers_of)
    CHECK(workers.size() == 1);
  CHECK(busy.size() == 4);  // by chance fewer: once in 10^7 runs
}
