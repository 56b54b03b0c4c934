// The walk by hand. Every part is opened O_PATH|O_NOFOLLOW relative to a directory that we hold, so a link is
// never followed by the kernel and a rename elsewhere cannot lead us astray. ".." (links only) goes back to
// the directory through which we came, never to what the file system calls the parent now; above the root
// there is nothing.
#include "steps.hpp"

#include <climits>

#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace tftpkit::file {
namespace {

constexpr int link_limit = 40;  // the kernel's own (MAXSYMLINKS)

class Walk {
 public:
  Walk(int root, bool follow_links) : root_(root), follow_links_(follow_links) {}

  Opened run(const std::string& path) {
    put_in_front(path);
    while (!parts_.empty()) {
      const std::string part = parts_.front();
      parts_.pop_front();
      if (const int error = step(part); error != 0) return {UniqueFd(), error};
    }
    if (trail_.empty()) return open_part(root_, ".");
    return {std::move(trail_.back()), 0};
  }

 private:
  int here() const { return trail_.empty() ? root_ : trail_.back().get(); }

  // "a/" is "a/.": what stands before a slash has to be a directory.
  void put_in_front(std::string_view path) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = 0; end <= path.size(); ++end) {
      if (end < path.size() && path[end] != '/') continue;
      parts.emplace_back(end == begin ? "." : path.substr(begin, end - begin));
      begin = end + 1;
    }
    parts_.insert(parts_.begin(), parts.begin(), parts.end());
  }

  static Opened open_part(int directory, const char* part) {
    const int fd = ::openat(directory, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? Opened{UniqueFd(), errno} : Opened{UniqueFd(fd), 0};
  }

  int step(const std::string& part) {
    if (part == "." || part == "..") {
      if (!trail_.empty() && !at_directory_) return ENOTDIR;
      if (part == ".") return 0;
      if (trail_.empty()) return EXDEV;
      trail_.pop_back();
      at_directory_ = true;
      return 0;
    }
    Opened next = open_part(here(), part.c_str());
    if (!next.fd) return next.error;
    struct stat status {};
    if (::fstat(next.fd.get(), &status) != 0) return errno;
    if (S_ISLNK(status.st_mode)) return follow(next.fd.get());
    at_directory_ = S_ISDIR(status.st_mode);
    trail_.push_back(std::move(next.fd));
    return 0;
  }

  int follow(int link) {
    if (!follow_links_ || ++links_ > link_limit) return ELOOP;
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(link, "", target, sizeof target);
    if (length < 0) return errno;
    if (length == 0) return ENOENT;
    if (static_cast<std::size_t>(length) == sizeof target) return ENAMETOOLONG;
    if (target[0] == '/') return EXDEV;
    put_in_front({target, static_cast<std::size_t>(length)});
    return 0;
  }

  int root_;
  bool follow_links_;
  bool at_directory_ = true;  // is the end of the trail a directory?
  int links_ = 0;
  std::vector<UniqueFd> trail_;  // from below the root down to where we are
  std::deque<std::string> parts_;
};

}  // namespace

Opened walk_beneath(int root, const std::string& path, bool follow_links) {
  return Walk(root, follow_links).run(path);
}

}  // namespace tftpkit::file
