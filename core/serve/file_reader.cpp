#include "serve/file_reader.hpp"

#include "loop/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <utility>

namespace tftpkit::serve {

// What a file looked like when it was opened, to notice at the end that somebody wrote to it. Who cannot look
// does not know: that is no proof of being the same.
struct FileReader::File {
  explicit File(host::UniqueFd descriptor) : fd{std::move(descriptor)} {
    error = ::fstat(fd.get(), &at_open) == 0 ? 0 : errno;
  }

  [[nodiscard]] std::optional<std::string> fault() const {
    struct stat now {};
    if (const int failed = error != 0 || ::fstat(fd.get(), &now) == 0 ? error : errno; failed != 0)
      return "whether the file is still the same cannot be told: " + std::string{std::strerror(failed)};
    if (now.st_size != at_open.st_size || now.st_mtim.tv_sec != at_open.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != at_open.st_mtim.tv_nsec)
      return "the file was changed while it was being sent";
    return std::nullopt;
  }

  host::UniqueFd fd;
  struct stat at_open {};
  int error = 0;  // of looking at it
};

namespace {

enum class Effort { cached_only, whatever_it_takes };

// Bytes read, or -errno. RWF_NOWAIT reads what is in the page cache and says EAGAIN for the rest.
ssize_t read_at(int fd, const Space& space, std::uint64_t position, Effort effort) {
  const IoVectors into = io_vectors(space);
  const int flags = effort == Effort::cached_only ? RWF_NOWAIT : 0;
  ssize_t got = 0;
  do
    got = ::preadv2(fd, into.parts.data(), into.count, static_cast<off_t>(position), flags);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

ReadResult as_result(ssize_t got) {
  if (got > 0) return {static_cast<std::size_t>(got), false, {}};
  if (got == 0) return {0, false, "the file became shorter while it was being sent"};
  return {0, false, "reading the file failed: " + std::string{std::strerror(static_cast<int>(-got))}};
}

Space cut(Space space, std::uint64_t most) {
  for (auto& part : space.parts) {
    if (part.size() > most) part = part.first(static_cast<std::size_t>(most));
    most -= part.size();
  }
  return space;
}

}  // namespace

FileReader::FileReader(loop::Loop& loop, const loop::Lane& disk, host::UniqueFd fd, std::uint64_t offset,
                       std::uint64_t size)
    : loop_{loop}, disk_{disk}, file_{std::make_shared<File>(std::move(fd))},
      alive_{std::make_shared<bool>(true)}, position_{offset}, end_{offset + size} {}

FileReader::~FileReader() {
  *alive_ = false;
}

std::optional<ReadResult> FileReader::read(Space space, OnDone on_done) {
  if (position_ == end_) return took({});
  space = cut(std::move(space), end_ - position_);
  const ssize_t got = read_at(file_->fd.get(), space, position_, Effort::cached_only);
  // EOPNOTSUPP: a file system without RWF_NOWAIT. 0 can also mean "not cached" on some of them.
  if (got > 0) return took(as_result(got));
  return read_on_disk(std::move(space), std::move(on_done));
}

std::optional<ReadResult> FileReader::read_on_disk(Space space, OnDone on_done) {
  auto done = std::make_shared<OnDone>(std::move(on_done));
  auto job = [this, &loop = loop_, file = file_, alive = alive_, position = position_,
              space = std::move(space), done] {
    const ssize_t got = read_at(file->fd.get(), space, position, Effort::whatever_it_takes);
    loop.post([this, alive, done, got] {
      if (*alive) (*done)(took(as_result(got)));
    });
  };
  if (disk_.submit(std::move(job))) return std::nullopt;
  return ReadResult{0, false, "the server is shutting down"};
}

ReadResult FileReader::took(const ReadResult& result) {
  ReadResult taken = result;
  position_ += taken.bytes;
  if (taken.failure || position_ < end_) return taken;
  taken.end = true;
  taken.failure = file_->fault();
  return taken;
}

}  // namespace tftpkit::serve
