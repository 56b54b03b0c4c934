#include "isolation/channel.hpp"
#include "isolation/message.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace tftpkit::isolation;
using Kind = Received::Kind;

namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::string text_of(const Received& received) {
  return {reinterpret_cast<const char*>(received.bytes.data()), received.bytes.size()};
}

struct Ends {
  explicit Ends(std::pair<tftpkit::host::UniqueFd, tftpkit::host::UniqueFd> sockets = Channel::pair())
      : one{std::move(sockets.first)}, other{std::move(sockets.second)} {}
  Channel one;
  Channel other;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 256; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) ++count;
  return count;
}

}  // namespace

TEST_CASE("messages keep their borders and their order") {
  Ends ends;
  CHECK(ends.one.send(bytes_of("first")) == SendResult::sent);
  CHECK(ends.one.send(bytes_of("second")) == SendResult::sent);
  CHECK(text_of(ends.other.receive()) == "first");
  CHECK(text_of(ends.other.receive()) == "second");
  CHECK(ends.other.receive().kind == Kind::nothing_yet);
}

TEST_CASE("descriptors travel beside a message, close-on-exec, and belong to the receiver") {
  Ends ends;
  const std::size_t before = open_descriptors();
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  CHECK(ends.one.send(bytes_of("x"), std::array{pipe[0]}) == SendResult::sent);
  ::close(pipe[0]);
  {
    const Received received = ends.other.receive();
    REQUIRE(received.descriptors.size() == 1);
    CHECK((::fcntl(received.descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
    REQUIRE(::write(pipe[1], "y", 1) == 1);
    char got = 0;
    CHECK(::read(received.descriptors[0].get(), &got, 1) == 1);
    CHECK(got == 'y');
  }
  ::close(pipe[1]);
  CHECK(open_descriptors() == before);
}

TEST_CASE("a message beyond the limit and more descriptors than are right are noticed, and nothing leaks") {
  Ends ends;
  const std::size_t before = open_descriptors();
  CHECK(ends.one.send(std::vector<std::byte>(longest_message + 1)) == SendResult::sent);
  CHECK(ends.other.receive().kind == Kind::too_long);
  CHECK(ends.one.send(std::vector<std::byte>(longest_message)) == SendResult::sent);
  CHECK(ends.other.receive().kind == Kind::message);
  CHECK(ends.one.send(bytes_of("x"), std::array{0, 1}) == SendResult::sent);
  CHECK(ends.other.receive().kind == Kind::message);
  CHECK(open_descriptors() == before);
}

TEST_CASE("what was said before the other end went is still heard, then the end") {
  Ends ends;
  ends.one.send(bytes_of("last words"));
  ends.one = Channel{};
  CHECK(text_of(ends.other.receive()) == "last words");
  CHECK(ends.other.receive().kind == Kind::ended);
  CHECK(ends.other.send(bytes_of("x")) == SendResult::ended);
}

TEST_CASE("who does not listen fills the connection, and nobody waits for him") {
  Ends ends;
  int sent = 0;
  while (ends.one.send(std::vector<std::byte>(30'000)) == SendResult::sent && sent < 10'000)
    ++sent;
  CHECK(sent < 10'000);
  CHECK(sent >= 2);
  CHECK(ends.other.receive().kind == Kind::message);
}
