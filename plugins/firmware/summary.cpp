#include "firmware/summary.hpp"

#include <algorithm>

namespace tftpkit::firmware {

void Summary::add_line(std::string_view line) {
  if (line.empty()) return;
  if (const auto given = given_from(line))
    add(*given);
  else
    ++passed_over_;
}

void Summary::add(const Given& given) {
  if (given.outcome == "probed") return;
  Progress& row = rows_[{given.model, given.version}];
  const bool done = given.outcome == "delivered" || given.outcome == "unconfirmed";
  ++row.offered;
  ++(done ? row.completed : row.failed);
  row.bytes += given.bytes;
  row.devices.insert(given.device);
  if (done) row.devices_done.insert(given.device);
  row.last = std::max(row.last, given.time);
}

}  // namespace tftpkit::firmware
