// Roster: what the plugins of a running server are doing: which files serve, in which generation, what still
// ends on older ones, and why something does not serve. Made for `tftpkit plugins list --control`.
#pragma once

#include "config/json_text.hpp"
#include "serve/setup.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tftpkit::serve {

class Roster {
 public:
  // `now` has taken the place of `before`, which may be null.
  void changed(const Setup* before, const Setup& now);

  // One row for each instance and for each file that has none, and for what was removed and still ends.
  [[nodiscard]] std::vector<config::JsonRow> rows(const Setup& now);

 private:
  struct Retired {
    std::string instance;
    std::string plugin;
    std::string file;
    unsigned generation;
    std::weak_ptr<const Served> served;
  };

  [[nodiscard]] std::uint64_t draining(const std::string& instance) const;

  std::vector<Retired> retired_;
};

}  // namespace tftpkit::serve
