// Memory files that pass between the server and an isolated process. What the server maps is sealed, so that
// nobody can make it shorter under its eyes (SIGBUS) or, for finished bytes, change it.
#pragma once

#include "host/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tftpkit::isolation {

// A file mapped into this process.
class Mapping {
 public:
  enum class Access : std::uint8_t { read, write };

  // Throws std::system_error.
  Mapping(const host::UniqueFd& file, std::size_t size, Access access);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A memory file that holds these bytes for good. Throws std::system_error.
host::UniqueFd sealed_copy(std::span<const std::byte> bytes);

// A memory file of this size for both to use; it can neither shrink nor grow. Throws std::system_error.
host::UniqueFd shared_memory(std::size_t size);

// May the server map the first `size` bytes? `constant`: they can also never change.
[[nodiscard]] bool safe_to_map(const host::UniqueFd& file, std::uint64_t size, bool constant) noexcept;

}  // namespace tftpkit::isolation
