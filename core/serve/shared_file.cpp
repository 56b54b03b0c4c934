#include "serve/shared_file.hpp"

#include "loop/loop.hpp"

#include <algorithm>
#include <cassert>
#include <ctime>
#include <utility>

namespace tftpkit::serve {

namespace {

using Bytes = std::shared_ptr<std::byte[]>;

// Times of files are as coarse as 2 seconds (FAT), and a file that is being written changes within one.
constexpr std::time_t settles_after = 3;
// A file that is not in memory is fetched so far ahead.
constexpr std::size_t fetched_ahead = 4 * SharedFiles::chunk_bytes;
constexpr std::size_t most_spare = 16;

bool same(const timespec& one, const timespec& other) noexcept {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

// Do both mean the same bytes?
struct SameContent {
  using is_transparent = void;
  static const struct stat& of(const struct stat& status) noexcept { return status; }
  static const struct stat& of(const SharedFile* file) noexcept { return file->status(); }

  bool operator()(const auto& left, const auto& right) const noexcept {
    const struct stat& one = of(left);
    const struct stat& other = of(right);
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev && one.st_size == other.st_size &&
           same(one.st_mtim, other.st_mtim) && same(one.st_ctim, other.st_ctim);
  }
  std::size_t operator()(const auto& value) const noexcept {
    const struct stat& status = of(value);
    const auto mixed = static_cast<std::size_t>(status.st_ino) * 0x9e3779b97f4a7c15U;
    return mixed ^ static_cast<std::size_t>(status.st_mtim.tv_nsec);
  }
};

bool settled(const struct stat& status) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec - std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec) > settles_after;
}

std::size_t chunks_in(std::uint64_t bytes) noexcept {
  return static_cast<std::size_t>((bytes + SharedFiles::chunk_bytes - 1) / SharedFiles::chunk_bytes);
}

constexpr std::uint64_t begin_of(std::uint64_t index) noexcept {
  return index * SharedFiles::chunk_bytes;
}

Space space_of(const Bytes& bytes, std::size_t length) {
  return {bytes, {std::span{bytes.get(), length}, {}}};
}

}  // namespace

struct SharedFiles::State {
  State(loop::Loop& the_loop, loop::Lane the_disk) : loop{the_loop}, disk{std::move(the_disk)} {}

  loop::Loop& loop;
  loop::Lane disk;
  std::unordered_set<SharedFile*, SameContent, SameContent> files;
  std::vector<std::unique_ptr<Chunk>> spare;  // of full length
  std::size_t may_be_held = 0;                // chunks, of all files

  std::unique_ptr<Chunk> chunk(std::size_t length) {
    if (length < chunk_bytes || spare.empty())
      return std::make_unique<Chunk>(Chunk{Bytes{new std::byte[length]}, length, 0, 0});
    auto chunk = std::move(spare.back());
    spare.pop_back();
    return chunk;
  }
  void take_back(std::unique_ptr<Chunk> chunk) {
    if (chunk->capacity == chunk_bytes && spare.size() < most_spare) spare.push_back(std::move(chunk));
  }
};

SharedFiles::SharedFiles(loop::Loop& loop, loop::Lane disk)
    : state_{std::make_shared<State>(loop, std::move(disk))} {
  state_->spare.reserve(most_spare);
}

SharedFiles::~SharedFiles() = default;

std::shared_ptr<SharedFile> SharedFiles::join(host::Source& source, std::size_t window) {
  if (!source.regular || source.file.st_size <= 0 || !settled(source.file)) return nullptr;
  const auto found = state_->files.find(source.file);
  const std::size_t all = chunks_in(static_cast<std::uint64_t>(source.file.st_size));
  const std::size_t wanted = found == state_->files.end() ? 0 : (*found)->wanted_;
  const std::size_t more = std::min(wanted + chunks_for(window), all) - std::min(wanted, all);
  if (state_->may_be_held + more > most_chunks) return nullptr;
  if (found == state_->files.end()) return std::make_shared<SharedFile>(state_, source);
  source.fd.reset();
  return (*found)->shared_from_this();
}

SharedFile::SharedFile(std::shared_ptr<SharedFiles::State> home, host::Source& source)
    : home_{std::move(home)}, file_{std::make_shared<const OpenFile>(std::move(source.fd), source.file)},
      size_{static_cast<std::uint64_t>(source.file.st_size)} {
  home_->files.insert(this);
}

SharedFile::~SharedFile() {
  assert(held_.empty() && wanted_ == 0);
  if (!failure_) home_->files.erase(this);
  if (home_->files.empty()) home_->spare.clear();
}

void SharedFile::enter(std::size_t chunks) noexcept {
  home_->may_be_held += most_held(wanted_ + chunks) - most_held(wanted_);
  wanted_ += chunks;
}

void SharedFile::leave(std::size_t chunks) noexcept {
  home_->may_be_held -= most_held(wanted_) - most_held(wanted_ - chunks);
  wanted_ -= chunks;
}

std::size_t SharedFile::most_held(std::size_t wanted) const noexcept {
  return std::min(wanted, chunks_in(size_));
}

std::size_t SharedFile::length_of(std::uint64_t index) const noexcept {
  return static_cast<std::size_t>(std::min<std::uint64_t>(SharedFiles::chunk_bytes, size_ - begin_of(index)));
}

Chunk* SharedFile::find(std::uint64_t index) const noexcept {
  const auto at =
      std::find_if(held_.begin(), held_.end(), [&](const auto& one) { return one->index == index; });
  return at == held_.end() ? nullptr : at->get();
}

Chunk* SharedFile::hold(std::uint64_t index, ChunkWaiter& waiter) {
  if (Chunk* chunk = find(index)) {
    ++chunk->holders;
    return chunk;
  }
  if (failure_) return nullptr;
  if (Fetch* under_way = fetch_of(index)) {
    under_way->waiting.push_back(&waiter);
    return nullptr;
  }
  const std::size_t length = length_of(index);
  auto chunk = home_->chunk(length);
  const ssize_t got =
      file_->read(space_of(chunk->bytes, length), begin_of(index), OpenFile::Effort::cached_only);
  if (got == static_cast<ssize_t>(length)) return add(index, std::move(chunk));
  home_->take_back(std::move(chunk));
  fetch(index, waiter);
  return nullptr;
}

Chunk* SharedFile::add(std::uint64_t index, std::unique_ptr<Chunk> chunk) {
  ++reads_;
  chunk->index = index;
  chunk->holders = 1;
  held_.push_back(std::move(chunk));
  return held_.back().get();
}

void SharedFile::let_go(Chunk& chunk) noexcept {
  if (--chunk.holders > 0) return;
  const auto at =
      std::find_if(held_.begin(), held_.end(), [&](const auto& one) { return one.get() == &chunk; });
  std::swap(*at, held_.back());
  home_->take_back(std::move(held_.back()));
  held_.pop_back();
}

void SharedFile::forget(const ChunkWaiter& waiter) noexcept {
  for (Fetch& fetch : fetches_)
    std::erase(fetch.waiting, &waiter);
  std::erase(told_, &waiter);
}

SharedFile::Fetch* SharedFile::fetch_of(std::uint64_t index) noexcept {
  const auto at = std::find_if(fetches_.begin(), fetches_.end(),
                               [&](const Fetch& fetch) { return fetch.index == index; });
  return at == fetches_.end() ? nullptr : &*at;
}

// The read may outlive everything here but the open file.
void SharedFile::fetch(std::uint64_t index, ChunkWaiter& waiter) {
  auto job = [&loop = home_->loop, file = file_, self = weak_from_this(), index, length = length_of(index)] {
    const Bytes bytes{new std::byte[length]};
    const ssize_t got = file->read_all(space_of(bytes, length), begin_of(index));
    file->read_ahead(begin_of(index + 1), fetched_ahead);
    loop.post([self, index, bytes, got] {
      if (const auto still_used = self.lock()) still_used->arrived(index, bytes, got);
    });
  };
  fetches_.push_back({index, {&waiter}});
  if (home_->disk.submit(std::move(job))) return;
  fetches_.pop_back();
  fail("the server is shutting down");
}

// Whoever waited holds the chunk now, or lets it go with ours.
void SharedFile::arrived(std::uint64_t index, const Bytes& bytes, ssize_t got) {
  Fetch* const fetch = fetch_of(index);
  told_ = std::move(fetch->waiting);
  std::swap(*fetch, fetches_.back());
  fetches_.pop_back();
  const std::size_t length = length_of(index);
  Chunk* chunk = nullptr;
  if (got == static_cast<ssize_t>(length))
    chunk = add(index, std::make_unique<Chunk>(Chunk{bytes, length, 0, 0}));
  else
    fail(read_failure(got));
  while (!told_.empty()) {
    ChunkWaiter* const next = told_.back();
    told_.pop_back();
    next->on_fetched();
  }
  if (chunk != nullptr) let_go(*chunk);
}

// Who comes next opens it anew.
void SharedFile::fail(std::string why) {
  if (failure_) return;
  home_->files.erase(this);
  failure_ = std::move(why);
}

}  // namespace tftpkit::serve
