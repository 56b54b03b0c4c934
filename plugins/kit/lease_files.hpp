// The lease files of an instance, watched. Missing ones are empty until they come.
#pragma once

#include "kit/leases.hpp"
#include "kit/watched.hpp"

#include <filesystem>
#include <memory>
#include <vector>

namespace tftpkit::kit {

struct LeaseFile {
  std::filesystem::path file;
  LeaseFormat format = LeaseFormat::automatic;
};

class LeaseFiles {
 public:
  LeaseFiles(Host host, const std::vector<LeaseFile>& files);

  void start();
  void stop();
  // [any-thread] In the order of the settings.
  [[nodiscard]] std::vector<std::shared_ptr<const Leases>> now() const;

 private:
  std::vector<std::unique_ptr<Watched<Leases>>> files_;
};

}  // namespace tftpkit::kit
