// One instance of the plugin: from the network thread, where nothing may wait, to the engine's. How a request
// is answered is runs.hpp's.
#pragma once

#include "exec/engine.hpp"
#include "exec/settings.hpp"

#include <tftpkit/plugin.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace tftpkit::exec {

class Exec : public Plugin {
 public:
  explicit Exec(Host host);

  void start();
  void stop();
  Answer open(const Request& request);

 private:
  Settings settings_;
  std::atomic<std::size_t> open_{0};  // requests without an answer
  std::unique_ptr<Engine> engine_;
};

}  // namespace tftpkit::exec
