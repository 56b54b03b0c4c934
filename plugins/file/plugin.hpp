// The seam between the C ABI and the plugin, for the tests as well.
#pragma once

#include <tftpkit/plugin.h>

namespace tftpkit::file {

// The descriptor, as the entry returns it.
const tftpkit_plugin& descriptor() noexcept;

// create() of the descriptor; without_openat2 makes the instance act as on a kernel that lacks openat2.
tftpkit_status create_instance(const tftpkit_host* host, void** instance, bool without_openat2) noexcept;

}  // namespace tftpkit::file
