// The root by its name: a directory that is replaced there is taken up with the next request. While the name
// cannot be opened (between two renames, or after privileges were dropped) the one before serves on. Used
// from many threads at once.
#pragma once

#include "confined.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>

namespace tftpkit::file {

class Root {
 public:
  struct Directory {
    UniqueFd fd;
    struct stat status {};
  };
  struct Now {
    std::shared_ptr<const Directory> directory;  // null: it never could be opened; errno says why
    bool reachable = false;                      // by its name, at this moment
  };

  explicit Root(std::string path);
  Now now() const;
  // The same, but for requests of one and the same moment (of a clock of the caller's) looked at only once.
  Now at(std::uint64_t moment) const;

 private:
  std::shared_ptr<const Directory> known() const;

  std::string path_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Directory> known_;
  mutable std::atomic<std::uint64_t> looked_at_{0};  // moment at which `known_` was reachable
};

}  // namespace tftpkit::file
