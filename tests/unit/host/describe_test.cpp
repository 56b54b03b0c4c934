// The report of the describing process: it comes across whole or not at all.
#include "host/describe.hpp"

#include <doctest/doctest.h>

using tftpkit::host::decoded;
using tftpkit::host::encoded;
using tftpkit::host::Finding;
using tftpkit::host::State;

namespace {

Finding described_finding() {
  Finding finding{"/x/menu.so", State::ok, {}, std::nullopt};
  tftpkit::host::Description seen;
  seen.name = "menu";
  seen.version = "2.1";
  seen.summary = "several = signs\tand more";
  seen.settings_schema = "{\n  \"type\": \"object\"\n}";
  seen.abi_major = 1;
  seen.abi_minor = 4;
  seen.execution = TFTPKIT_EXEC_INLINE;
  seen.flags = 0xffffffffU;
  seen.reads = true;
  seen.warning = "end";
  finding.description = seen;
  return finding;
}

}  // namespace

TEST_CASE("A description comes across with every field") {
  const auto got = decoded(encoded(described_finding()), "/x/menu.so");
  REQUIRE(got);
  CHECK(got->state == State::ok);
  CHECK(got->file == "/x/menu.so");
  REQUIRE(got->description);
  CHECK(got->description->name == "menu");
  CHECK(got->description->version == "2.1");
  CHECK(got->description->summary == "several = signs\tand more");
  CHECK(got->description->settings_schema == "{\n  \"type\": \"object\"\n}");
  CHECK(got->description->license.empty());
  CHECK(got->description->abi_minor == 4);
  CHECK(got->description->execution == TFTPKIT_EXEC_INLINE);
  CHECK(got->description->flags == 0xffffffffU);
  CHECK(got->description->reads);
  CHECK_FALSE(got->description->writes);
  CHECK(got->description->warning == "end");
}

TEST_CASE("A refusal comes across with its state and reason") {
  const auto got =
      decoded(encoded({"/x/y.so", State::cannot_load, "no such library", std::nullopt}), "/x/y.so");
  REQUIRE(got);
  CHECK(got->state == State::cannot_load);
  CHECK(got->reason == "no such library");
  CHECK_FALSE(got->description);
}

TEST_CASE("A report cut off anywhere is none") {
  const std::string whole = encoded(described_finding());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(decoded(whole.substr(0, length), "/x/menu.so"));
  }
}

TEST_CASE("Nonsense is no report") {
  CHECK_FALSE(decoded(std::string("state\0marvellous\0end\0", 21), "x"));
  CHECK_FALSE(decoded(std::string("end\0", 4), "x"));
  CHECK_FALSE(decoded("segmentation fault", "x"));
}
