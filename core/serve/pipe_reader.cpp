#include "serve/pipe_reader.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace tftpkit::serve {

PipeReader::PipeReader(loop::Loop& loop, host::UniqueFd fd)
    : fd_{std::move(fd)}, watch_{loop, fd_.get(), loop::FdWatch::Want::nothing,
                                 [this](loop::Ready) { on_readable(); }} {}

std::optional<ReadResult> PipeReader::try_read(const Space& space) {
  const IoVectors into = io_vectors(space);
  ssize_t got = 0;
  do
    got = ::readv(fd_.get(), into.parts.data(), into.count);
  while (got < 0 && errno == EINTR);
  if (got > 0) return ReadResult{static_cast<std::size_t>(got), false, {}};
  if (got == 0) return ReadResult{0, true, {}};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
  return ReadResult{0, false, "reading from the plugin's pipe failed: " + std::string{std::strerror(errno)}};
}

std::optional<ReadResult> PipeReader::read(Space space, OnDone on_done) {
  if (auto result = try_read(space)) return result;
  space_ = std::move(space);
  on_done_ = std::move(on_done);
  watch_.want(loop::FdWatch::Want::read);
  return std::nullopt;
}

void PipeReader::on_readable() {
  const auto result = try_read(space_);
  if (!result) return;
  watch_.want(loop::FdWatch::Want::nothing);
  std::exchange(on_done_, nullptr)(*result);
}

}  // namespace tftpkit::serve
