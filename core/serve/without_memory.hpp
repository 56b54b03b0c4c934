// For steps that can be left out when there is no memory for them. What must happen needs none.
#pragma once

#include <new>

namespace tftpkit::serve {

// False: memory ran out in it.
template <class Step>
bool if_memory_allows(Step step) {
  try {
    step();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace tftpkit::serve
