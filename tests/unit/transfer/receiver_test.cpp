// The Receiver by hand: what it answers, what it takes, how it ends.
#include "transfer/receiver.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace tftpkit::transfer;
using namespace std::chrono_literals;
using tftpkit::wire::ErrorCode;
using tftpkit::wire::Option;
using tftpkit::wire::Request;

namespace {

using Kind = Reply::Kind;
using Options = std::vector<Option>;

struct Client {
  explicit Client(Options options = {}) : receiver(request(std::move(options)), {}, now, 1) {}

  static Request request(Options options) {
    return {tftpkit::wire::Operation::read, "file", tftpkit::wire::Mode::octet, std::move(options)};
  }
  // Sends what is due and says what it was.
  std::optional<Reply> sent() {
    const auto reply = receiver.next_reply();
    if (reply) receiver.on_sent(now);
    return reply;
  }
  bool data(std::uint16_t block, std::size_t length = 512) { return receiver.on_data(block, length, now); }
  void oack(const Options& options) { receiver.on_oack(options, now); }
  void next_deadline() { receiver.on_deadline(now = receiver.deadline().value()); }

  TimePoint now{};
  Receiver receiver;
};

std::optional<Reply> ack(std::uint16_t block) {
  return Reply{Kind::ack, block};
}

}  // namespace

TEST_CASE("a client asks, takes block after block, and acknowledges each") {
  Client client;
  CHECK(client.sent() == Reply{Kind::opening, 0});
  CHECK(client.data(1));
  CHECK(client.sent() == ack(1));
  CHECK(client.data(2, 100));
  CHECK(client.receiver.outcome() == Outcome::delivered);
  CHECK(client.sent() == ack(2));
  CHECK(client.receiver.bytes() == 612);
}

TEST_CASE("RFC 2347: an OACK is answered with ACK 0 and settles the terms") {
  Client client(Options{{"blksize", "1428"}, {"tsize", "0"}});
  client.sent();
  client.oack({{"blksize", "1000"}, {"tsize", "1500"}});
  CHECK(client.sent() == ack(0));
  CHECK(client.receiver.tsize() == 1500);
  CHECK(client.data(1, 1000));
  CHECK_FALSE(client.receiver.outcome().has_value());
  CHECK(client.sent() == ack(1));
}

TEST_CASE("a repeated OACK says that ACK 0 was lost") {
  Client client(Options{{"tsize", "0"}});
  client.sent();
  client.oack({{"tsize", "5"}});
  client.sent();
  client.oack({{"tsize", "5"}});
  CHECK(client.sent() == ack(0));
}

TEST_CASE("an OACK with something not asked for is refused with ERROR 8") {
  Client client(Options{{"blksize", "1428"}});
  client.sent();
  client.oack({{"tsize", "5"}});
  CHECK(client.sent() == Reply{Kind::error, 0});
  CHECK(client.receiver.outcome() == Outcome::refused);
  CHECK(client.receiver.refusal().code == ErrorCode::option_refused);
  CHECK_FALSE(client.receiver.deadline().has_value());
}

TEST_CASE("a server that ignores the options brings RFC 1350's terms") {
  Client client(Options{{"blksize", "1428"}, {"windowsize", "16"}});
  client.sent();
  CHECK(client.data(1));
  CHECK(client.sent() == ack(1));
}

TEST_CASE("RFC 1350 section 2: a repeated block is acknowledged again but taken once") {
  Client client;
  client.sent();
  CHECK(client.data(1));
  client.sent();
  CHECK_FALSE(client.data(1));
  CHECK(client.sent() == ack(1));
  CHECK(client.receiver.bytes() == 512);
}

TEST_CASE("a block older than the last, or from the future, is not answered in lockstep") {
  Client client;
  client.sent();
  for (const std::uint16_t block : std::vector<std::uint16_t>{1, 2, 3}) {
    client.data(block);
    client.sent();
  }
  for (const std::uint16_t block : std::vector<std::uint16_t>{1, 2, 5, 60000}) {
    CHECK_FALSE(client.data(block));
    CHECK_FALSE(client.sent().has_value());
  }
}

TEST_CASE("RFC 7440: a window brings one ACK, a gap in it one more, and so does a gap in the next flight") {
  Client client(Options{{"windowsize", "4"}});
  client.sent();
  client.oack({{"windowsize", "4"}});
  client.sent();
  for (const std::uint16_t block : std::vector<std::uint16_t>{1, 2, 3}) {
    CHECK(client.data(block));
    CHECK_FALSE(client.sent().has_value());
  }
  CHECK(client.data(4));
  CHECK(client.sent() == ack(4));
  CHECK(client.data(5));
  CHECK_FALSE(client.data(7));
  CHECK(client.sent() == ack(5));
  CHECK_FALSE(client.data(8));
  CHECK_FALSE(client.sent().has_value());
  CHECK_FALSE(client.data(7));  // 6 is lost again
  CHECK(client.sent() == ack(5));
  for (const std::uint16_t block : std::vector<std::uint16_t>{6, 7, 8})
    CHECK(client.data(block));
  CHECK_FALSE(client.sent().has_value());
  CHECK(client.data(9));
  CHECK(client.sent() == ack(9));
}

TEST_CASE("a window sent twice because its ACK was lost is acknowledged once more, not block by block") {
  Client client(Options{{"windowsize", "3"}});
  client.sent();
  client.oack({{"windowsize", "3"}});
  client.sent();
  int acks = 0;
  for (int copy = 0; copy < 2; ++copy)
    for (const std::uint16_t block : std::vector<std::uint16_t>{1, 2, 3}) {
      client.data(block);
      acks += client.sent().has_value() ? 1 : 0;
    }
  CHECK(acks == 2);
}

TEST_CASE("the request and the last ACK are sent again by the timer, and silence ends it") {
  Client client;
  client.sent();
  client.next_deadline();
  CHECK(client.sent() == Reply{Kind::opening, 0});
  client.data(1);
  client.sent();
  client.next_deadline();
  CHECK(client.sent() == ack(1));
  while (!client.receiver.outcome()) {
    client.next_deadline();
    client.sent();
  }
  CHECK(client.receiver.outcome() == Outcome::timed_out);
  CHECK(client.now >= TimePoint{} + 60s);
}

TEST_CASE("RFC 1350 section 6: after the last ACK the receiver stays for a while and answers a repeat") {
  Client client;
  client.sent();
  client.data(1, 3);
  CHECK(client.sent() == ack(1));
  CHECK(client.receiver.deadline().has_value());
  CHECK_FALSE(client.data(1, 3));
  CHECK(client.sent() == ack(1));
  client.next_deadline();
  CHECK_FALSE(client.receiver.deadline().has_value());
  CHECK_FALSE(client.data(1, 3));
  CHECK_FALSE(client.sent().has_value());
  CHECK(client.receiver.outcome() == Outcome::delivered);
}

TEST_CASE("a block longer than agreed is refused with ERROR 4") {
  Client client;
  client.sent();
  CHECK_FALSE(client.data(1, 513));
  CHECK(client.sent() == Reply{Kind::error, 0});
  CHECK(client.receiver.refusal().code == ErrorCode::illegal_operation);
}

TEST_CASE("an ERROR and a closed port end it without an answer") {
  Client failed;
  failed.sent();
  failed.receiver.on_error(ErrorCode::file_not_found, failed.now);
  CHECK(failed.receiver.outcome() == Outcome::client_error);
  CHECK_FALSE(failed.sent().has_value());
  Client gone;
  gone.sent();
  gone.receiver.on_unreachable(gone.now);
  CHECK(gone.receiver.outcome() == Outcome::unreachable);
}

TEST_CASE("the caller may refuse (disk full), and the sender is told once") {
  Client client;
  client.sent();
  client.data(1);
  client.receiver.refuse({ErrorCode::disk_full, "no room"});
  CHECK(client.sent() == Reply{Kind::error, 0});
  CHECK_FALSE(client.sent().has_value());
  CHECK_FALSE(client.data(2));
  CHECK_FALSE(client.sent().has_value());
}

TEST_CASE("a server that takes a WRQ opens with its own packet and keeps the agreed terms") {
  Terms terms;
  terms.blksize = 1000;
  Receiver receiver(terms, {}, TimePoint{}, 1);
  CHECK(receiver.next_reply() == Reply{Kind::opening, 0});
  receiver.on_sent(TimePoint{});
  CHECK(receiver.on_data(1, 1000, TimePoint{}));
  CHECK(receiver.next_reply() == ack(1));
}
