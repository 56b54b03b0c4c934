// A rollout in numbers, from the record: offered, completed and failed, by model and version.
#pragma once

#include "firmware/record.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tftpkit::firmware {

struct Progress {
  std::uint64_t offered = 0;  // answers, without mere questions for the size
  std::uint64_t completed =
      0;                     // all bytes arrived, or were sent and only the last acknowledgement is missing
  std::uint64_t failed = 0;  // everything else
  std::uint64_t bytes = 0;
  std::set<std::string> devices;       // to whom it was offered
  std::set<std::string> devices_done;  // who has it
  std::chrono::system_clock::time_point last;
};

class Summary {
 public:
  // Lines that are none are counted and passed over: the last one of a file may be half written.
  void add_line(std::string_view line);
  void add(const Given& given);

  // By (model, version).
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, Progress>& rows() const noexcept {
    return rows_;
  }
  [[nodiscard]] std::uint64_t passed_over() const noexcept { return passed_over_; }

 private:
  std::map<std::pair<std::string, std::string>, Progress> rows_;
  std::uint64_t passed_over_ = 0;
};

}  // namespace tftpkit::firmware
