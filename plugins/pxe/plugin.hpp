// The seam between the C ABI and the plugin, for the tests as well.
#pragma once

#include <tftpkit/plugin.h>

namespace tftpkit::pxe {

// The descriptor, as the entry returns it.
const tftpkit_plugin& descriptor() noexcept;

}  // namespace tftpkit::pxe
