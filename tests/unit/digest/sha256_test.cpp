// SHA-256 against the examples of FIPS 180-4 and against lengths at the borders of a block.
#include "digest/sha256.hpp"

#include <doctest/doctest.h>

#include <string_view>

using tftpkit::digest::Sha256;

namespace {

std::string sha256(std::string_view text, std::size_t piece = 1000) {
  Sha256 sum;
  auto bytes = std::as_bytes(std::span(text));
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    sum.add(part);
    bytes = bytes.subspan(part.size());
  }
  return tftpkit::digest::text_of(sum.finish());
}

}  // namespace

TEST_CASE("The examples of the standard come out") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("How the bytes are cut makes no difference, also at the borders of a block") {
  for (const std::size_t size : {55U, 56U, 57U, 63U, 64U, 65U, 119U, 120U, 128U, 1000U}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      text[i] = static_cast<char>(i * 7);
    const std::string whole = sha256(text);
    for (const std::size_t piece : {1U, 3U, 55U, 64U, 65U})
      CHECK(sha256(text, piece) == whole);
  }
  CHECK(sha256(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(sha256(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}
