#include "memory.hpp"

#include <cstdlib>
#include <new>

namespace {

std::size_t live = 0;  // one thread only

}  // namespace

std::size_t tftpkit::sim::live_allocations() noexcept {
  return live;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  ++live;
  return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  void* memory = std::aligned_alloc(align, (size + align - 1) / align * align);
  if (memory == nullptr) throw std::bad_alloc{};
  ++live;
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  --live;
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  operator delete(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  operator delete(memory);
}

#endif
