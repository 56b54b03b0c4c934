#include "isolation/message.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace tftpkit::isolation;

namespace {

Open an_open() {
  Open open;
  open.id = 7;
  open.wire_path = std::string("a\\\xff", 3);
  open.path = "a/b";
  open.blksize = 1428;
  open.peer.family = 4;
  open.peer.port = 69;
  open.options = {{"tsize", "0"}, {"x", ""}};
  return open;
}

Answered an_answer() {
  Answered answer;
  answer.id = 9;
  answer.status = TFTPKIT_OK;
  answer.bytes.assign(5, std::byte{42});
  return answer;
}

}  // namespace

TEST_CASE("a message comes out as it went in") {
  const auto open = decoded<Open>(encoded(an_open()));
  REQUIRE(open);
  CHECK(open->id == 7);
  CHECK(open->wire_path == std::string("a\\\xff", 3));
  CHECK(open->path == "a/b");
  CHECK(open->blksize == 1428);
  CHECK(open->peer.port == 69);
  CHECK(open->options == std::vector<std::pair<std::string, std::string>>{{"tsize", "0"}, {"x", ""}});
  const auto answer = decoded<Answered>(encoded(an_answer()));
  REQUIRE(answer);
  CHECK(answer->size == TFTPKIT_SIZE_UNKNOWN);
  CHECK(answer->bytes == std::vector<std::byte>(5, std::byte{42}));
}

TEST_CASE("settings come out as they went in") {
  tftpkit::host::Settings settings;
  settings.json = R"({"root": "/srv"})";
  settings.texts = {{"/root", "/srv"}, {"", "{}"}};
  settings.integers = {{"/n", -5}};
  settings.counts = {{"", 1}};
  const auto back = decoded_settings(encoded_settings(settings));
  REQUIRE(back);
  CHECK(back->json == settings.json);
  CHECK(back->texts == settings.texts);
  CHECK(back->integers == settings.integers);
  CHECK(back->counts == settings.counts);
}

TEST_CASE("a message is not taken for another one, nor nothing for a message") {
  CHECK_FALSE(decoded<Close>(encoded(an_open())));
  CHECK_FALSE(decoded<Open>({}));
  CHECK_FALSE(decoded<Stop>(encoded(Ready{})));
}

TEST_CASE("a message that is torn anywhere is none, and one with something behind it neither") {
  for (const auto& whole :
       {encoded(an_open()), encoded(an_answer()), encoded(Filled{1, 2, true, false, "why"}),
        encoded(Says{20, "text"}), encoded(LinkQuestion{3, {}})}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::span torn{whole.data(), size};
      CHECK_FALSE(decoded<Open>(torn));
      CHECK_FALSE(decoded<Answered>(torn));
      CHECK_FALSE(decoded<Filled>(torn));
      CHECK_FALSE(decoded<Says>(torn));
      CHECK_FALSE(decoded<LinkQuestion>(torn));
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decoded<Open>(longer));
    CHECK_FALSE(decoded<Answered>(longer));
    CHECK_FALSE(decoded<Says>(longer));
  }
}

TEST_CASE("lengths that lie beyond the message are wrong, and cost no memory") {
  auto bytes = encoded(an_open());
  const std::uint32_t lie = 0xffffffff;
  for (std::size_t at = 1; at + sizeof lie <= bytes.size(); ++at) {
    auto spoiled = bytes;
    std::memcpy(spoiled.data() + at, &lie, sizeof lie);
    const auto open = decoded<Open>(spoiled);  // where it hits a number it stays a message
    if (open) CHECK(open->wire_path.size() + open->path.size() < bytes.size());
  }
}

TEST_CASE("a flag that is neither 0 nor 1 is wrong") {
  auto bytes = encoded(Filled{1, 2, true, false, ""});
  REQUIRE(bytes.at(1 + 8 + 8) == std::byte{1});
  bytes.at(1 + 8 + 8) = std::byte{2};
  CHECK_FALSE(decoded<Filled>(bytes));
}
