// RFC 2347, 2348, 2349: from the OACK to DATA 1, and the ways clients leave at that point.
#include "script.hpp"

#include <doctest/doctest.h>

using namespace tftpkit::test;
using tftpkit::wire::ErrorCode;

TEST_CASE("RFC 2347: DATA 1 waits for the ACK 0 of the OACK") {
  Script{100, {{"blksize", "1432"}}}
      .sees_oack()
      .sees_nothing()
      .passes(1ms)
      .acks(1)
      .sees_nothing()
      .acks(0)
      .sees(1)
      .acks(1)
      .ends(Outcome::delivered);
}

TEST_CASE("RFC 2347: options that nobody knows bring no OACK") {
  Script{100, {{"multicast", ""}, {"colour", "blue"}}}.sees(1);
}

TEST_CASE("RFC 2348: blocks have the size agreed on") {
  Script script{3000, {{"blksize", "1428"}}};
  script.sees_oack().acks(0).sees(1).acks(1).sees(2).acks(2).sees(3);
  CHECK(script.sender().bytes_of(1) == tftpkit::transfer::Extent{0, 1428});
  CHECK(script.sender().bytes_of(3) == tftpkit::transfer::Extent{2856, 144});
}

TEST_CASE(
    "clients.md annex 8: EDK2 leaves with ERROR 8 after tsize, curl with ERROR 0: probes, not failures") {
  for (const auto code : {ErrorCode::option_refused, ErrorCode::not_defined}) {
    Script{5000, {{"tsize", "0"}}}.sees_oack().sends_error(code).ends(Outcome::probed);
    Script{5000, {{"tsize", "0"}}}.sees_oack().acks(0).sees(1).sends_error(code).ends(Outcome::probed);
    Script{5000, {{"tsize", "0"}}}.sees_oack().acks(0).sees(1).acks(1).sees(2).sends_error(code).ends(
        Outcome::client_error);
  }
  Script{5000, {{"tsize", "0"}}}
      .sees_oack()
      .sends_error(ErrorCode::illegal_operation)
      .ends(Outcome::client_error);
}

TEST_CASE("peers.md lessons: the OACK is sent again like any block") {
  Script{100, {{"tsize", "0"}}}
      .sees_oack()
      .passes(500ms)
      .sees_oack()
      .passes(1ms)
      .acks(0)
      .sees(1)
      .acks(1)
      .ends(Outcome::delivered);
}
