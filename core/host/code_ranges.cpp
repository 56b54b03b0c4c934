#include "host/code_ranges.hpp"

#include <atomic>

namespace tftpkit::host {

namespace {

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
  std::string plugin;
  const Range* next;
};

std::atomic<const Range*> newest{nullptr};

}  // namespace

void add_code_range(std::uintptr_t begin, std::uintptr_t end, const std::string& plugin) {
  auto* range = new Range{begin, end, plugin, newest.load()};  // stays, as the library does
  while (!newest.compare_exchange_weak(range->next, range)) {
  }
}

const char* plugin_of_code(std::uintptr_t address) noexcept {
  for (const Range* range = newest.load(); range != nullptr; range = range->next)
    if (address >= range->begin && address < range->end) return range->plugin.c_str();
  return nullptr;
}

}  // namespace tftpkit::host
