#include "serve/file_reader.hpp"

#include "loop/loop.hpp"

#include <limits>
#include <utility>

namespace tftpkit::serve {

namespace {

using Effort = OpenFile::Effort;

constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();

Space cut(Space space, std::uint64_t most) {
  for (auto& part : space.parts) {
    if (part.size() > most) part = part.first(static_cast<std::size_t>(most));
    most -= part.size();
  }
  return space;
}

}  // namespace

FileReader::FileReader(loop::Loop& loop, const loop::Lane& disk, OpenFile file, std::uint64_t offset,
                       std::optional<std::uint64_t> size)
    : loop_{loop}, disk_{disk}, file_{std::make_shared<OpenFile>(std::move(file))},
      alive_{std::make_shared<bool>(true)}, position_{offset}, end_{size ? offset + *size : unknown} {}

FileReader::~FileReader() {
  *alive_ = false;
}

std::optional<ReadResult> FileReader::read(Space space, OnDone on_done) {
  if (position_ == end_) return took(0);
  space = cut(std::move(space), end_ - position_);
  const ssize_t got = file_->read(space, position_, Effort::cached_only);
  // EOPNOTSUPP: a file system without RWF_NOWAIT. 0 can also mean "not cached" on some of them.
  if (got > 0) return took(got);
  return read_on_disk(std::move(space), std::move(on_done));
}

std::optional<ReadResult> FileReader::read_on_disk(Space space, OnDone on_done) {
  auto done = std::make_shared<OnDone>(std::move(on_done));
  auto job = [this, &loop = loop_, file = file_, alive = alive_, position = position_,
              space = std::move(space), done] {
    const ssize_t got = file->read(space, position, Effort::whatever_it_takes);
    loop.post([this, alive, done, got] {
      if (*alive) (*done)(took(got));
    });
  };
  if (disk_.submit(std::move(job))) return std::nullopt;
  return ReadResult{0, false, "the server is shutting down"};
}

// Files of /proc do not say how long they are: those end where nothing more comes.
ReadResult FileReader::took(ssize_t got) {
  if (got < 0 || (got == 0 && position_ < end_ && end_ != unknown)) return {0, false, read_failure(got)};
  position_ += static_cast<std::uint64_t>(got);
  if (got > 0 && position_ < end_) return {static_cast<std::size_t>(got), false, {}};
  return {static_cast<std::size_t>(got), true, file_->fault()};
}

}  // namespace tftpkit::serve
