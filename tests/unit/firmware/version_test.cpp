#include "firmware/version.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace fw = tftpkit::firmware;

TEST_CASE("versions are ordered by their numbers and words, as vendors count") {
  const std::array<std::array<const char*, 2>, 17> ascending = {
      {{"9.3.5", "9.3.12"},
       {"9.3(5)", "9.3.12"},
       {"15.2(2)E7", "15.2(7)E8"},
       {"15.2(7)E8", "15.2(7)E10"},
       {"15.2(7)E", "15.2(7)E1"},
       {"4.40.00.00", "4.40.40.00"},
       {"4.40.40.00", "7.00.30.00"},
       {"2023.01", "2024.01"},
       {"2024.01-rc1", "2024.01"},
       {"2024.01-rc2", "2024.01-rc10"},
       {"1.0beta2", "1.0"},
       {"18.1R3", "20.4R3"},
       {"21.4R3", "21.4R3-S1"},
       {"SIP41.9-4-2SR3-1S", "SIP41.9-4-2SR4-1S"},
       {"4.25.9M", "4.28.3M"},
       {"99999999999999999999", "100000000000000000000"},
       {"", "0.1"}}};
  for (const auto& [low, high] : ascending) {
    CAPTURE(low);
    CAPTURE(high);
    CHECK(fw::compare_versions(low, high) < 0);
    CHECK(fw::compare_versions(high, low) > 0);
  }
}

TEST_CASE("punctuation, leading zeros, zeros at the end, a leading v and letter case change no version") {
  const std::array<std::array<const char*, 2>, 6> same = {{{"12.2", "12.2.0"},
                                                           {"15.2(7)E8", "15.2.7.e8"},
                                                           {"v2.1", "2.1"},
                                                           {"1.007", "1.7"},
                                                           {"", ""},
                                                           {"1.74", "01.74"}}};
  for (const auto& [left, right] : same) {
    CAPTURE(left);
    CHECK(fw::compare_versions(left, right) == 0);
    CHECK(fw::compare_versions(right, left) == 0);
  }
}

TEST_CASE("a comparison holds on its side of the bound alone") {
  const auto holds = [](const std::string& test, const char* version) {
    return fw::VersionTest::from(test).value().holds(version);
  };
  CHECK(holds("<4.40.40.00", "4.40.00.00"));
  CHECK_FALSE(holds("<4.40.40.00", "4.40.40.00"));
  CHECK(holds("<=4.40.40.00", "4.40.40.00"));
  CHECK(holds(">= 15.2(7)E8", "15.2(7)E8"));
  CHECK_FALSE(holds("> 15.2(7)E8", "15.2(7)E8"));
  CHECK(holds("=1.71", "1.71"));
  CHECK(holds("==1.71", "1.71"));
  CHECK(holds("!=1.71", "1.72"));
  CHECK_FALSE(holds("!=1.71", "1.71"));
}

TEST_CASE("what compares nothing is no comparison") {
  for (const char* text : {"", "1.71", "<", "~1.71", "=>", "< ()", "latest"}) {
    CAPTURE(text);
    CHECK_FALSE(fw::VersionTest::from(text));
  }
}
