#include "serve/body.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

using namespace tftpkit;
using serve::ReadBody;
using serve::Reader;
using serve::ReadResult;
using serve::Space;

namespace {

// Gives a text in pieces of at most `piece` bytes, at once or when the test says so.
class TextReader final : public Reader {
 public:
  TextReader(std::string text, std::size_t piece, bool late = false)
      : text_{std::move(text)}, piece_{piece}, late_{late} {}

  std::optional<ReadResult> read(Space space, OnDone on_done) override {
    ++reads;
    if (!late_) return next(space);
    waiting_ = [this, space, on_done] { on_done(next(space)); };
    return std::nullopt;
  }
  [[nodiscard]] bool reads_ahead() const noexcept override { return late_; }

  void finish_read() { std::exchange(waiting_, nullptr)(); }
  [[nodiscard]] bool waiting() const { return static_cast<bool>(waiting_); }

  int reads = 0;

 private:
  ReadResult next(const Space& space) {
    ReadResult result;
    for (const auto& part : space.parts) {
      const std::size_t length = std::min({part.size(), text_.size() - at_, piece_ - result.bytes});
      std::transform(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                     text_.begin() + static_cast<std::ptrdiff_t>(at_ + length), part.begin(),
                     [](char c) { return static_cast<std::byte>(c); });
      at_ += length;
      result.bytes += length;
    }
    result.end = result.bytes == 0;
    return result;
  }

  std::string text_;
  std::size_t piece_;
  bool late_;
  std::size_t at_ = 0;
  std::function<void()> waiting_;
};

std::string text_of(const serve::Body& body, std::uint64_t offset, std::size_t length) {
  std::string text;
  for (const auto& part : body.view(offset, length))
    for (const std::byte b : part)
      text += static_cast<char>(b);
  return text;
}

// Reads a body as a transfer would: windows of `window` bytes, each given up when the next is wanted.
std::string all_of(serve::Body& body, std::size_t window) {
  std::string text;
  for (;;) {
    body.want(text.size(), text.size() + window);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(body.ready() - text.size(), window));
    text += text_of(body, text.size(), length);
    if (body.failure() != nullptr) return "failure: " + *body.failure();
    if (length == 0 && body.ended()) return text;
    if (length == 0) return "stuck after " + std::to_string(text.size());
  }
}

std::string letters(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

ReadBody body_of(const std::string& text, std::size_t piece, ReadBody::Plan plan) {
  return ReadBody{plan, std::make_unique<TextReader>(text, piece), [] {}};
}

}  // namespace

TEST_CASE("a body gives the reader's bytes in order, whatever the pieces and the ring") {
  const std::string text = letters(1000);
  for (const std::size_t capacity : {64U, 65U, 100U, 4096U})
    for (const std::size_t piece : {1U, 7U, 64U, 1000U}) {
      auto body = body_of(text, piece, {capacity, 1000, 1000, false});
      CHECK(all_of(body, 60) == text);
    }
}

TEST_CASE("bytes that are still needed can be viewed again") {
  auto body = body_of(letters(200), 200, {100, 200, 200, false});
  body.want(0, 50);
  const std::string first = text_of(body, 10, 40);
  body.want(10, 90);
  CHECK(text_of(body, 10, 40) == first);
}

TEST_CASE("a source that ends early is a failure that says both numbers") {
  auto body = body_of(letters(30), 100, {64, 40, 40, false});
  CHECK(all_of(body, 60) == "failure: the source ended after 30 of the 40 bytes it announced");
}

TEST_CASE("a source that has more than it announced is a failure") {
  auto body = body_of(letters(50), 100, {64, 40, 40, false});
  CHECK(all_of(body, 60) == "failure: the source has more bytes than the 40 it announced");
}

TEST_CASE("netascii doubles line ends and carriage returns across ring and pieces") {
  std::string text;
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const char c = i % 3 == 0 ? '\n' : i % 7 == 0 ? '\r' : 'x';
    text += c;
    if (c == '\n')
      expected += "\r\n";
    else if (c == '\r')
      expected += std::string("\r\0", 2);
    else
      expected += c;
  }
  for (const std::size_t piece : {1U, 13U, 500U}) {
    auto body = body_of(text, piece, {70, 500, {}, true});
    CHECK(all_of(body, 64) == expected);
  }
}

TEST_CASE("an empty source ends at once") {
  auto body = body_of("", 10, {16, {}, {}, false});
  body.want(0, 10);
  CHECK(body.ended());
  CHECK(body.ready() == 0);
}

TEST_CASE("a cheap reader is asked only when bytes are needed") {
  auto reader = std::make_unique<TextReader>(letters(1000), 1000);
  TextReader& watched = *reader;
  ReadBody body{{100, {}, {}, false}, std::move(reader), [] {}};
  body.want(0, 10);
  CHECK(watched.reads == 1);
  body.want(50, 60);
  CHECK(watched.reads == 1);
  body.want(95, 105);
  CHECK(watched.reads == 2);
}

TEST_CASE("a slow reader is read ahead and tells when bytes have come") {
  auto reader = std::make_unique<TextReader>(letters(100), 30, true);
  TextReader& watched = *reader;
  int told = 0;
  ReadBody body{{64, 100, 100, false}, std::move(reader), [&told] { ++told; }};
  body.want(0, 10);
  CHECK(body.ready() == 0);
  REQUIRE(watched.waiting());
  watched.finish_read();
  CHECK(told == 1);
  CHECK(body.ready() == 30);
  CHECK(watched.waiting());  // half of the ring is free: the next read is under way
}

TEST_CASE("a reader's failure is the body's") {
  class Broken final : public Reader {
    std::optional<ReadResult> read(Space, OnDone) override { return ReadResult{0, false, "disk on fire"}; }
    [[nodiscard]] bool reads_ahead() const noexcept override { return false; }
  };
  ReadBody body{{64, {}, {}, false}, std::make_unique<Broken>(), [] {}};
  body.want(0, 10);
  REQUIRE(body.failure() != nullptr);
  CHECK(*body.failure() == "disk on fire");
}
