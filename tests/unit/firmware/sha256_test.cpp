#include "firmware/sha256.hpp"

#include <doctest/doctest.h>

#include <string>

namespace fw = tftpkit::firmware;

TEST_CASE("SHA-256 gives the digests that NIST publishes") {
  const auto digest = [](std::string_view text) { return fw::digest_text(fw::sha256(text)); };
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(
      digest(
          "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsm"
          "nopqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(digest(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are handed over") {
  const std::string text(300, 'x');
  const auto whole = fw::sha256(text);
  for (std::size_t length = 0; length <= 130; ++length) {
    fw::Sha256 hash;
    hash.add(std::string_view(text).substr(0, length));
    hash.add(std::string_view(text).substr(length));
    CHECK(hash.finish() == whole);
  }
}
