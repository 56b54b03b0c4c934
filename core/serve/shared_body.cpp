#include "serve/shared_body.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

namespace {

constexpr std::size_t chunk_bytes = SharedFiles::chunk_bytes;

std::uint64_t end_of(const Chunk& chunk) noexcept {
  return (chunk.index + 1) * chunk_bytes;
}

}  // namespace

SharedBody::SharedBody(std::shared_ptr<SharedFile> file, std::uint64_t offset, std::uint64_t size,
                       std::size_t window, std::function<void()> on_ready)
    : file_{std::move(file)}, offset_{offset}, size_{size},
      most_chunks_{SharedFiles::chunks_for(window)}, on_ready_{std::move(on_ready)} {
  held_.reserve(most_chunks_);
  file_->enter(most_chunks_);
}

SharedBody::~SharedBody() {
  file_->forget(*this);
  for (Chunk* chunk : held_)
    file_->let_go(*chunk);
  file_->leave(most_chunks_);
}

void SharedBody::want(std::uint64_t first, std::uint64_t last) {
  let_go_before(offset_ + first);
  while (ready_ < std::min(last, size_) && hold_more()) {
  }
}

void SharedBody::let_go_before(std::uint64_t position) noexcept {
  const auto needed =
      std::find_if(held_.begin(), held_.end(), [&](const Chunk* chunk) { return end_of(*chunk) > position; });
  for (auto at = held_.begin(); at != needed; ++at)
    file_->let_go(**at);
  held_.erase(held_.begin(), needed);
}

void SharedBody::on_fetched() {
  waiting_ = false;
  const auto tell = on_ready_;  // the call may end us
  tell();
}

// When all has been read the file has to be what it was: nothing of it is ended before.
bool SharedBody::hold_more() {
  if (failure_ || waiting_) return false;
  Chunk* chunk = file_->hold((offset_ + ready_) / chunk_bytes, *this);
  if (chunk == nullptr) {
    failure_ = file_->failure();
    waiting_ = !failure_;
    return false;
  }
  held_.push_back(chunk);
  const std::uint64_t ready = std::min(end_of(*chunk) - offset_, size_);
  if (ready == size_ && file_->reads() != reads_before_) failure_ = file_->fault();
  if (!failure_) ready_ = ready;
  return !failure_;
}

Parts SharedBody::view(std::uint64_t offset, std::size_t length) const noexcept {
  if (length == 0) return {};
  const std::uint64_t begin = offset_ + offset;
  const auto at = static_cast<std::size_t>(begin / chunk_bytes - held_.front()->index);
  const auto start = static_cast<std::size_t>(begin % chunk_bytes);
  const std::size_t first = std::min(length, chunk_bytes - start);
  Parts parts{std::span<const std::byte>{held_[at]->bytes.get() + start, first}, {}};
  if (first < length) parts[1] = {held_[at + 1]->bytes.get(), length - first};
  return parts;
}

}  // namespace tftpkit::serve
