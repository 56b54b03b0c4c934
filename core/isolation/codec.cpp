#include "isolation/codec.hpp"

namespace tftpkit::isolation {

void Encoder::append(const void* from, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(from);
  bytes_.insert(bytes_.end(), first, first + size);
}

}  // namespace tftpkit::isolation
