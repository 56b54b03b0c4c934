// The other side of isolation: what the process of an isolated instance does. It hosts the plugin with the
// same classes as the server does, takes requests from the server's messages instead of the network, and
// gives their bytes back as messages, descriptors and shared memory.
#pragma once

namespace tftpkit::serve {

// Does all that and ends the process. main() calls this, before anything else, when its only argument is
// isolation::isolated_argument.
[[noreturn]] void guest_process();

}  // namespace tftpkit::serve
