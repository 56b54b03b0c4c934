// observe/counters: the sum is the sum, and every number has its own name.
#include "observe/counters.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string_view>

using namespace tftpkit::observe;

TEST_CASE("the totals are the sums over all workers") {
  Counters first, second;
  ++first.requests;
  first.bytes_sent += 1000;
  second.requests.add(2);
  second.gso_fallbacks.add();
  const std::array<const Counters*, 2> workers{&first, &second};
  const Totals totals = sum(workers);
  CHECK(totals.requests == 3);
  CHECK(totals.bytes_sent == 1000);
  CHECK(totals.gso_fallbacks == 1);
  CHECK(totals.delivered == 0);
}

TEST_CASE("every counter is in the table once, live and summed rows in the same order") {
  std::set<std::string_view> names;
  Totals totals;
  Counters counters;
  for (std::size_t i = 0; i < counter_rows<std::uint64_t>.size(); ++i) {
    const auto& row = counter_rows<std::uint64_t>[i];
    CHECK(names.insert(row.name).second);
    CHECK(row.name == counter_rows<Counter>[i].name);
    totals.*row.member += 1;
    (counters.*counter_rows<Counter>[i].member).add(i + 1);
  }
  CHECK(sizeof(Totals) == names.size() * sizeof(std::uint64_t));
  const std::array<const Counters*, 1> workers{&counters};
  const Totals summed = sum(workers);
  for (std::size_t i = 0; i < counter_rows<std::uint64_t>.size(); ++i) {
    CHECK(totals.*counter_rows<std::uint64_t>[i].member == 1);
    CHECK(summed.*counter_rows<std::uint64_t>[i].member == i + 1);
  }
}
