// Privileges: who the server becomes once its ports are bound.
#pragma once

#include <string>

namespace tftpkit::serve {

// Becomes `user` and `group` (names or numbers; group empty: the user's own) for good, without supplementary
// groups and capabilities. Nothing to do when both are empty. Throws std::runtime_error that says what
// failed.
void drop_privileges(const std::string& user, const std::string& group);

}  // namespace tftpkit::serve
