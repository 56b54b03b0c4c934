#include "bytes.hpp"
#include "wire/netascii.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace tftpkit::wire;
using tftpkit::test::operator""_b;
using tftpkit::test::text_of;

namespace {

using Bytes = std::vector<std::byte>;
using Random = std::mt19937;

std::size_t up_to(Random& random, std::size_t most) {
  return std::uniform_int_distribution<std::size_t>(0, most)(random);
}

// Converts all of it in random pieces of input and output, as blocks and reads would cut it.
template <class Convert, class Pending>
Bytes in_pieces(const Bytes& in, Random& random, Convert convert, Pending pending) {
  Bytes out;
  std::size_t at = 0;
  while (at < in.size() || pending()) {
    Bytes room(1 + up_to(random, 6));
    const auto take = std::min(in.size() - at, up_to(random, 7));
    const auto done = convert(std::span(in).subspan(at, take), std::span(room));
    REQUIRE(done.consumed <= take);
    REQUIRE(done.produced <= room.size());
    out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(done.produced));
    at += done.consumed;
  }
  return out;
}

Bytes encoded(const Bytes& in, Random& random) {
  NetasciiEncoder encoder;
  return in_pieces(
      in, random, [&](auto from, auto to) { return encoder.encode(from, to); },
      [&] { return encoder.pending(); });
}

Bytes decoded(const Bytes& in, Random& random) {
  NetasciiDecoder decoder;
  auto out = in_pieces(
      in, random, [&](auto from, auto to) { return decoder.decode(from, to); }, [] { return false; });
  Bytes rest(1);
  rest.resize(decoder.finish(rest));
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::string encoded_text(const Bytes& in) {
  Random random(1);
  return text_of(encoded(in, random));
}

std::string decoded_text(const Bytes& in) {
  Random random(1);
  return text_of(decoded(in, random));
}

// Many line ends, so that pairs meet the edges of the pieces.
Bytes random_text(Random& random) {
  Bytes bytes(up_to(random, 200));
  for (auto& b : bytes)
    b = "\r\n\0ab\r\n"_b[up_to(random, 6)];
  return bytes;
}

}  // namespace

TEST_CASE("LF becomes CR LF, CR becomes CR NUL, the rest stays") {
  CHECK(encoded_text("a\nb"_b) == "a\r\nb");
  CHECK(encoded_text("a\rb"_b) == std::string("a\r\0b", 4));
  CHECK(encoded_text("\r\n"_b) == std::string("\r\0\r\n", 4));
  CHECK(encoded_text("\0\x80\xff"_b) == std::string("\0\x80\xff", 3));
}

TEST_CASE("CR LF becomes LF, CR NUL becomes CR, a NUL without CR stays") {
  CHECK(decoded_text("a\r\nb"_b) == "a\nb");
  CHECK(decoded_text("a\r\0b"_b) == "a\rb");
  CHECK(decoded_text("a\0\nb"_b) == std::string("a\0\nb", 4));
}

TEST_CASE("a lone CR is kept, also as the last byte and before another CR") {
  CHECK(decoded_text("a\rb"_b) == "a\rb");
  CHECK(decoded_text("a\r"_b) == "a\r");
  CHECK(decoded_text("\r\r\n"_b) == "\r\n");
  CHECK(decoded_text("\r\r"_b) == "\r\r");
}

TEST_CASE("what is encoded in any pieces decodes in any pieces to itself, and the size was foretold") {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const auto original = random_text(random);
    const auto wire = encoded(original, random);
    CAPTURE(seed);
    REQUIRE(wire.size() == netascii_size(original));
    REQUIRE(decoded(wire, random) == original);
  }
}

TEST_CASE("the sizes of chunks add up to the size of the whole") {
  Random random(7);
  const auto text = random_text(random);
  const auto half = text.size() / 2;
  CHECK(netascii_size(std::span(text).first(half)) + netascii_size(std::span(text).subspan(half)) ==
        netascii_size(text));
}
