#include "firmware/read_time.hpp"
#include "firmware/summary.hpp"

#include <doctest/doctest.h>

#include <string>

namespace fw = tftpkit::firmware;

namespace {

fw::Given given(const std::string& device, const std::string& version, const std::string& outcome) {
  fw::Given one;
  one.time = fw::moment_from("2026-11-25T20:14:07Z").value();
  one.device = device;
  one.model = "nxos";
  one.version = version;
  one.outcome = outcome;
  one.bytes = 10;
  return one;
}

}  // namespace

TEST_CASE("a line of the record comes back as it was, whatever bytes a client sent") {
  fw::Given one = given("FDO1", "9.3", "delivered");
  one.name = "a\"b\nc\\d\x01";
  one.known = true;
  const std::string line = fw::line_of(one);
  CHECK(line.find('\n') == std::string::npos);
  const auto back = fw::given_from(line);
  REQUIRE(back);
  CHECK(back->name == one.name);
  CHECK(back->time == one.time);
  CHECK(back->known);
  CHECK(back->bytes == 10);
  CHECK(back->outcome == "delivered");
  CHECK(back->channel.empty());
}

TEST_CASE("a moment is one that the clock can count to") {
  for (const char* moment : {"1970-01-01T00:00:00Z", "2200-12-31T23:59:59Z"}) {
    CAPTURE(moment);
    const auto read = fw::moment_from(moment);
    REQUIRE(read);
    CHECK(fw::moment_text(*read) == moment);
  }
  for (const char* none :
       {"1013-12-01T00:00:00Z", "1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "9999-12-31T00:00:00Z"})
    CHECK_FALSE(fw::moment_from(none));
}

TEST_CASE("what is no line of the record is counted and passed over") {
  fw::Summary summary;
  for (const char* line : {"", "{", "[]", "{}", "{\"time\": \"yesterday\", \"outcome\": \"delivered\"}",
                           "{\"time\": \"2026-11-25T20:14:07Z\"}"})
    summary.add_line(line);
  CHECK(summary.passed_over() == 5);
  CHECK(summary.rows().empty());
}

TEST_CASE("a rollout counts answers and devices by model and version, and no mere questions for the size") {
  fw::Summary summary;
  for (const auto& one :
       {given("A", "1", "timeout"), given("A", "1", "delivered"), given("B", "1", "refused"),
        given("B", "2", "unconfirmed"), given("B", "2", "probed")})
    summary.add_line(fw::line_of(one));
  REQUIRE(summary.rows().size() == 2);
  const fw::Progress& first = summary.rows().at({"nxos", "1"});
  CHECK(first.offered == 3);
  CHECK(first.completed == 1);
  CHECK(first.failed == 2);
  CHECK(first.devices.size() == 2);
  CHECK(first.devices_done.size() == 1);
  CHECK(summary.rows().at({"nxos", "2"}).offered == 1);
  CHECK(summary.rows().at({"nxos", "2"}).completed == 1);
}
