#include "isolation/transfer.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace tftpkit::isolation;

namespace {

constexpr std::size_t ring_size = 4096;

// Both ends of a stream; the writing one is played by the test.
struct Pair {
  tftpkit::host::UniqueFd file = shared_memory(ring_size);
  Mapping writer{file, ring_size, Mapping::Access::write};
  std::vector<std::uint64_t> wanted;
  Stream stream{std::make_unique<Mapping>(file, ring_size, Mapping::Access::read),
                [this](std::uint64_t up_to) { wanted.push_back(up_to); }};
  std::uint64_t filled = 0;
  std::uint64_t taken = 0;

  static std::byte byte_at(std::uint64_t at) { return static_cast<std::byte>(at * 7 % 251); }

  bool fill(std::size_t count, bool ended = false) {
    for (std::size_t i = 0; i < count; ++i, ++filled)
      writer.bytes()[filled % ring_size] = byte_at(filled);
    return stream.on_filled(filled, ended);
  }

  // Reads up to `most`; negative: the status.
  std::int64_t read(std::size_t most) {
    std::vector<std::byte> into(most);
    const std::int64_t got = stream.read(into, why);
    for (std::int64_t i = 0; i < got; ++i, ++taken)
      CHECK(into[static_cast<std::size_t>(i)] == byte_at(taken));
    return got;
  }
  std::string why;
};

}  // namespace

TEST_CASE("bytes come in order through a ring that is smaller than they are") {
  Pair pair;
  for (int round = 0; round < 10; ++round) {
    REQUIRE(pair.fill(3000, round == 9));
    CHECK(pair.read(1000) == 1000);
    CHECK(pair.read(5000) == 2000);
  }
  CHECK(pair.read(10) == 0);
  CHECK(pair.read(10) == 0);
}

TEST_CASE("more is asked for once half of the ring is free, and not twice") {
  Pair pair;
  pair.fill(4096);
  CHECK(pair.read(2000) == 2000);
  CHECK(pair.wanted.empty());
  CHECK(pair.read(100) == 100);
  CHECK(pair.read(100) == 100);
  CHECK(pair.wanted == std::vector<std::uint64_t>{2100});
}

TEST_CASE("a read waits for bytes") {
  Pair pair;
  std::thread writer{[&] { pair.fill(5); }};
  CHECK(pair.read(10) == 5);
  writer.join();
}

TEST_CASE("cancel ends a read that waits, and those after it") {
  Pair pair;
  std::thread other{[&] { pair.stream.cancel(); }};
  CHECK(pair.read(10) == TFTPKIT_E_CANCELLED);
  other.join();
  CHECK(pair.read(10) == TFTPKIT_E_CANCELLED);
}

TEST_CASE("what came before a break is read, then the reason") {
  Pair pair;
  pair.fill(100);
  pair.stream.on_broken(TFTPKIT_E_UNAVAILABLE, "its process was ended by SIGSEGV");
  CHECK(pair.read(60) == 60);
  CHECK(pair.read(60) == 40);
  CHECK(pair.read(60) == TFTPKIT_E_UNAVAILABLE);
  CHECK(pair.why == "its process was ended by SIGSEGV");
}

TEST_CASE("a stream that has ended cannot break any more") {
  Pair pair;
  pair.fill(3, true);
  pair.stream.on_broken(TFTPKIT_E_UNAVAILABLE, "too late");
  CHECK(pair.read(10) == 3);
  CHECK(pair.read(10) == 0);
}

TEST_CASE("what cannot be is refused: backwards, more than the ring holds, after the end") {
  Pair pair;
  CHECK(pair.stream.on_filled(100, false));
  CHECK_FALSE(pair.stream.on_filled(99, false));
  CHECK_FALSE(pair.stream.on_filled(ring_size + 1, false));
  CHECK_FALSE(pair.stream.on_filled(UINT64_MAX, false));
  CHECK(pair.stream.on_filled(ring_size, true));
  CHECK_FALSE(pair.stream.on_filled(ring_size, false));
}
