// The lease files of an instance, watched. Missing ones are empty until they come.
#pragma once

#include "kit/watched.hpp"
#include "settings.hpp"

#include <memory>
#include <vector>

namespace tftpkit::pxe {

class LeaseFiles {
 public:
  LeaseFiles(Host host, const std::vector<LeaseFile>& files);

  void start();
  void stop();
  // [any-thread] In the order of the settings.
  [[nodiscard]] std::vector<std::shared_ptr<const kit::Leases>> now() const;

 private:
  std::vector<std::unique_ptr<kit::Watched<kit::Leases>>> files_;
};

}  // namespace tftpkit::pxe
