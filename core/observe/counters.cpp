#include "observe/counters.hpp"

namespace tftpkit::observe {

Totals sum(std::span<const Counters* const> workers) noexcept {
  Totals totals;
  for (std::size_t row = 0; row < counter_rows<Counter>.size(); ++row) {
    for (const Counters* worker : workers) {
      totals.*counter_rows<std::uint64_t>[row].member += (worker->*counter_rows<Counter>[row].member).value();
    }
  }
  return totals;
}

}  // namespace tftpkit::observe
