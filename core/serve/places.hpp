// Where a server's control socket and its memory of crashes are when nobody says otherwise: what systemd
// names, else the system's directories for root and the user's own for others.
#pragma once

#include <filesystem>

namespace tftpkit::serve {

// $RUNTIME_DIRECTORY/control, /run/tftpkit/control for root, $XDG_RUNTIME_DIR/tftpkit/control; empty when
// there is no such place.
[[nodiscard]] std::filesystem::path default_control();

// $STATE_DIRECTORY, /var/lib/tftpkit for root, $XDG_STATE_HOME/tftpkit, ~/.local/state/tftpkit; or empty.
[[nodiscard]] std::filesystem::path default_state_dir();

}  // namespace tftpkit::serve
