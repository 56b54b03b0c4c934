#include "wire/block.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace tftpkit::wire;

TEST_CASE("rollover 0: 65535 is followed by 0") {
  CHECK(wire_block(1, 0) == 1);
  CHECK(wire_block(65535, 0) == 65535);
  CHECK(wire_block(65536, 0) == 0);
  CHECK(wire_block(65537, 0) == 1);
  CHECK(wire_block(std::uint64_t{1} << 40U, 0) == 0);
}

TEST_CASE("rollover 1: 65535 is followed by 1 and 0 never comes again") {
  CHECK(wire_block(0, 1) == 0);
  CHECK(wire_block(65535, 1) == 65535);
  CHECK(wire_block(65536, 1) == 1);
  CHECK(wire_block(2 * 65535, 1) == 65535);
  CHECK(wire_block(2 * 65535 + 1, 1) == 1);
}

TEST_CASE("the distance between numbers goes forward over the rollover") {
  CHECK(wire_distance(65535, 0, 0) == 1);
  CHECK(wire_distance(65535, 1, 1) == 1);
  CHECK(wire_distance(65530, 4, 0) == 10);
  CHECK(wire_distance(65530, 4, 1) == 9);
  CHECK(wire_distance(5, 4, 0) == 65535);
  CHECK(wire_distance(5, 4, 1) == 65534);
  CHECK(wire_distance(7, 7, 0) == 0);
}

TEST_CASE("a number is unwrapped to the block that has it, and to none outside the range") {
  for (const unsigned rollover : {0U, 1U}) {
    for (const std::uint64_t first :
         {0ULL, 1ULL, 17ULL, 65500ULL, 65534ULL, 65535ULL, 65536ULL, 131000ULL, 10485760ULL}) {
      for (const std::uint64_t span : {0ULL, 1ULL, 64ULL, 65534ULL}) {
        const auto last = first + span;
        for (std::uint64_t block = first; block <= last; block += span > 64 ? 997 : 1)
          CHECK(unwrap(wire_block(block, rollover), first, last, rollover) == block);
        CHECK(unwrap(wire_block(last, rollover), first, last, rollover) == last);
      }
      const auto behind = first == 0 ? std::uint16_t{60000} : wire_block(first - 1, rollover);
      if (rollover == 0 || first != 1) CHECK_FALSE(unwrap(behind, first, first + 64, rollover).has_value());
      CHECK_FALSE(unwrap(wire_block(first + 65, rollover), first, first + 64, rollover).has_value());
    }
  }
}

TEST_CASE("rollover 1: the number 0 means block 0 and nothing else") {
  CHECK(unwrap(0, 0, 64, 1) == std::uint64_t{0});
  CHECK_FALSE(unwrap(0, 1, 64, 1).has_value());
  CHECK_FALSE(unwrap(0, 65535, 65599, 1).has_value());
  CHECK_FALSE(unwrap(65535, 0, 64, 1).has_value());
}
