// A client's menu as the values that a template is filled with: everything in it is in the target's syntax,
// or escaped by the template.
#pragma once

#include "client.hpp"
#include "kit/template.hpp"
#include "syntax.hpp"

#include <string>

namespace tftpkit::pxe {

// What is known of a client, raw: for patterns, and for templates to escape.
[[nodiscard]] kit::Values client_values(const Client& client, const Profile& profile,
                                        const std::string& server);

// The same with the menu that `profile` stands for.
[[nodiscard]] kit::Values menu_values(Syntax syntax, const Client& client, const Profile& profile,
                                      const std::string& server);

}  // namespace tftpkit::pxe
