// What Python calls of the host: the module _tftpkit, and the capsule by which it names an instance. Those
// calls are made with the GIL held, so cutting a link with the GIL held leaves no call behind it.
#pragma once

#include "object.hpp"

#include <tftpkit/plugin.h>

namespace tftpkit::python {

// A new module; NULL on failure, as Python's own functions.
[[nodiscard]] PyObject* host_link_module();

[[nodiscard]] Object make_link(const tftpkit_host* host);
// From now on its log goes nowhere, and every request is cancelled: the instance is no more.
void cut_link(PyObject* link) noexcept;

}  // namespace tftpkit::python
