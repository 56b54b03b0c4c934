// An instance whose plugin runs in a process of its own. For everybody else it is a host::Instance like any
// other: what stands in for the plugin here is a table of the plugin contract that answers everything PENDING
// and completes it when the process has spoken.
#pragma once

#include "host/description.hpp"
#include "host/instance.hpp"
#include "isolation/keeper.hpp"

#include <memory>

namespace tftpkit::isolation {

struct Isolated {
  std::shared_ptr<host::Instance> instance;
  std::shared_ptr<const Keeper> keeper;  // tells its state
};

// Starts the process and waits until its instance has started. Throws host::Error with the reason. May be
// called from any thread that may block; a plugin of which there can be only one in a process is alone in its
// own.
Isolated isolated_instance(const host::Description& description, Program program);

}  // namespace tftpkit::isolation
