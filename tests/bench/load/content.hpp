// The bytes that a transfer must bring, from a file that is mapped once.
#pragma once

#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace load {

class Content {
 public:
  explicit Content(const std::string& file) {
    if (file.empty()) return;
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) throw std::runtime_error("cannot read " + file);
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ > 0) bytes_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    ::close(fd);
    if (bytes_ == MAP_FAILED) throw std::runtime_error("cannot map " + file);
  }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() {
    if (bytes_ != nullptr) ::munmap(bytes_, size_);
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Are these the bytes at `offset`, and all of them that belong into a block of `blksize`?
  [[nodiscard]] bool matches(std::size_t offset, std::span<const std::byte> block,
                             std::size_t blksize) const noexcept {
    if (offset > size_) return false;
    const std::size_t wanted = size_ - offset < blksize ? size_ - offset : blksize;
    return block.size() == wanted &&
           (wanted == 0 ||
            std::memcmp(static_cast<const std::byte*>(bytes_) + offset, block.data(), wanted) == 0);
  }

 private:
  void* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace load
