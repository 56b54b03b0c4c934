// The bytes of one answer while they come: in memory, and from 64 KiB on in a file without a name. Not handed
// to anybody before it is whole.
#pragma once

#include "kit/unique_fd.hpp"

#include <tftpkit/plugin.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace tftpkit::exec {

class Body {
 public:
  static constexpr std::size_t most_in_memory = std::size_t{64} << 10U;

  // `spool`: the directory for the file; "" for one in memory.
  explicit Body(const std::string& spool) : spool_(&spool) {}

  // Throws std::system_error when the file cannot be made or is full.
  void add(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // All of it, as an answer; the body is empty then.
  [[nodiscard]] Answer take();

 private:
  const std::string* spool_;
  std::string memory_;
  kit::UniqueFd file_;
  std::uint64_t size_ = 0;
};

}  // namespace tftpkit::exec
