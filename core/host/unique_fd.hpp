// The owner of one file descriptor, under the name that this room uses.
#pragma once

#include "loop/fd.hpp"

namespace tftpkit::host {

using UniqueFd = loop::Fd;

}  // namespace tftpkit::host
