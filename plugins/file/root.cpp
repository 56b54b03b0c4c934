// To look whether the name still leads to the same directory costs less than to open it. The open descriptor
// keeps the inode number from being given to another one.
#include "root.hpp"

#include <fcntl.h>
#include <utility>

namespace tftpkit::file {
namespace {

std::shared_ptr<const Root::Directory> opened(const std::string& path) {
  Root::Directory directory{find_directory(path).fd, {}};
  if (!directory.fd || ::fstat(directory.fd.get(), &directory.status) != 0) return nullptr;
  return std::make_shared<const Root::Directory>(std::move(directory));
}

bool same(const struct stat& one, const struct stat& other) noexcept {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace

Root::Root(std::string path) : path_(std::move(path)), known_(opened(path_)) {}

std::shared_ptr<const Root::Directory> Root::known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

Root::Now Root::now() const {
  const auto known = this->known();
  struct stat seen {};
  if (known && ::fstatat(AT_FDCWD, path_.c_str(), &seen, AT_NO_AUTOMOUNT) == 0 && same(seen, known->status))
    return {known, true};
  auto next = opened(path_);
  if (!next) return {known, false};
  const std::lock_guard lock(mutex_);
  known_ = next;
  return {std::move(next), true};
}

Root::Now Root::at(std::uint64_t moment) const {
  if (looked_at_.load(std::memory_order_relaxed) == moment) return {known(), true};
  Now result = now();
  if (result.reachable) looked_at_.store(moment, std::memory_order_relaxed);
  return result;
}

}  // namespace tftpkit::file
