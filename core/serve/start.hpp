// Starting one instance: its plugin in this process or in one of its own, and the threads that its calls run
// on. Knows nothing of other instances, of routes and of generations.
#pragma once

#include "config/config.hpp"
#include "host/scan.hpp"
#include "host/settings.hpp"
#include "isolation/keeper.hpp"
#include "serve/setup.hpp"

#include <cstdint>
#include <memory>

namespace tftpkit::serve {

struct Started {
  std::shared_ptr<const Served> served;
  std::shared_ptr<const isolation::Keeper> keeper;  // of an instance in a process of its own
};

// The library of an instance in this process; none for one in a process of its own, whose plugin is never
// loaded here, not even to look at it. Throws host::Error.
std::shared_ptr<host::Library> loaded_here(const config::InstanceConfig& config,
                                           const host::Finding& finding);

// `finding` is ok and describes the plugin; `library` is what loaded_here() gave. Throws host::Error, and
// std::system_error when there is no process.
Started start_instance(const config::InstanceConfig& config, const config::Config& all,
                       const host::Finding& finding, const std::shared_ptr<host::Library>& library,
                       host::Settings settings, const SetupTools& tools);

// TFTPKIT_EXEC_*
[[nodiscard]] std::uint32_t execution_number(config::Execution execution) noexcept;

}  // namespace tftpkit::serve
