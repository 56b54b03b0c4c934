// The interpreter: one for the process, which CPython cannot end and begin again, so it is started by the
// first instance and never ended. Copies of this plugin, and other plugins that embed Python, share it.
#pragma once

#include "object.hpp"

#include <tftpkit/plugin.hpp>

namespace tftpkit::python {

// Starts it where nobody has, and gives it this copy's modules. Throws a Failure. The module
// tftpkit._border, which belongs to this file. Without the GIL.
[[nodiscard]] PyObject* border();

// Holds the GIL; may be nested. Waits for it, so never on a network thread. A thread keeps its own Python
// state from one time to the next: what a script has in threading.local() stays.
class Gil {
 public:
  Gil();
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace tftpkit::python
