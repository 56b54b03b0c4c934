#include "serve/guest_transfer.hpp"

#include "serve/pipe_reader.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <system_error>
#include <utility>

namespace tftpkit::serve {

namespace {

using isolation::Answered;

constexpr std::size_t page = 4096;

// Where a stream's size is known and small, so is its ring.
std::size_t ring_size(std::optional<std::uint64_t> size) {
  if (!size) return isolation::largest_ring;
  const std::uint64_t whole = (std::min<std::uint64_t>(*size, isolation::largest_ring) + page) / page * page;
  return static_cast<std::size_t>(std::min<std::uint64_t>(whole, isolation::largest_ring));
}

}  // namespace

GuestTransfer::GuestTransfer(loop::Loop& loop, const isolation::Channel& channel,
                             std::shared_ptr<const Served> served, std::uint64_t id)
    : loop_{loop}, channel_{channel}, id_{id}, transfer_{std::make_shared<PluginTransfer>(
                                                   loop, std::move(served))} {}

void GuestTransfer::open(host::OpenRequest request) {
  transfer_->open(std::move(request),
                  [self = shared_from_this()](host::Answer answer) { self->on_answer(std::move(answer)); });
}

void GuestTransfer::on_answer(host::Answer answered) {
  Answered said;
  said.id = id_;
  said.status = answered.status;
  said.text = isolation::cut(answered.text);
  if (!answered.source) {
    channel_.send_waiting(isolation::encoded(std::move(said)));
    return;
  }
  try {
    answer(std::move(*answered.source), said);
  } catch (const std::system_error& error) {
    refuse(std::string{"its process cannot hand over the bytes: "} + error.what());
  }
}

void GuestTransfer::answer(host::Source source, Answered& said) {
  said.size = source.size.value_or(TFTPKIT_SIZE_UNKNOWN);
  switch (source.kind) {
  case host::Kind::buffer: return answer_buffer(source, said);
  case host::Kind::redirect:
    said.kind = TFTPKIT_SOURCE_REDIRECT;
    said.redirect = source.redirect;
    channel_.send_waiting(isolation::encoded(said));
    return;
  case host::Kind::fd:
    if (!source.regular) break;
    said.kind = TFTPKIT_SOURCE_FD;
    said.fd_offset = source.fd_offset;
    channel_.send_waiting(isolation::encoded(said), std::array{source.fd.get()});
    return;
  case host::Kind::stream: break;
  }
  answer_stream(std::move(source), said);
}

void GuestTransfer::answer_buffer(const host::Source& source, Answered& said) {
  said.kind = TFTPKIT_SOURCE_BUFFER;
  if (source.data.size() <= isolation::longest_inline_body) {
    said.bytes.assign(source.data.begin(), source.data.end());
    channel_.send_waiting(isolation::encoded(std::move(said)));
    return;
  }
  const host::UniqueFd copy = isolation::sealed_copy(source.data);
  channel_.send_waiting(isolation::encoded(said), std::array{copy.get()});
}

// A pipe is read here as well: at its end the server could not tell whether all came or this process died.
void GuestTransfer::answer_stream(host::Source source, Answered& said) {
  const std::size_t size = ring_size(source.size);
  const host::UniqueFd ring = isolation::shared_memory(size);
  ring_ = std::make_shared<isolation::Mapping>(ring, size, isolation::Mapping::Access::write);
  if (source.kind == host::Kind::fd)
    reader_ = std::make_unique<PipeReader>(loop_, std::move(source.fd));
  else
    reader_ = std::make_unique<CallReader>(transfer_);
  said.kind = TFTPKIT_SOURCE_STREAM;
  said.ring = static_cast<std::uint32_t>(size);
  channel_.send_waiting(isolation::encoded(said), std::array{ring.get()});
  pump();
}

void GuestTransfer::refuse(const std::string& why) {
  Answered said;
  said.id = id_;
  said.status = TFTPKIT_E_IO;
  said.text = isolation::cut(why);
  channel_.send_waiting(isolation::encoded(std::move(said)));
  // The server forgets it with this answer, so nobody else will close it.
  host::Ending ending;
  ending.end = TFTPKIT_END_HOST;
  transfer_->finish(ending);
}

void GuestTransfer::more(std::uint64_t taken) {
  taken_ = std::clamp(taken, taken_, filled_);
  asked_ = true;
  tell();
  pump();
}

// Reads ahead of what the server asks for, as far as half of the ring is free.
void GuestTransfer::pump() {
  while (reader_ && !reading_ && !ended_ && !failure_ && (filled_ - taken_) * 2 <= ring_->bytes().size()) {
    reading_ = true;
    const auto done = [weak = weak_from_this()](const ReadResult& late) {
      if (const auto self = weak.lock()) {
        self->take(late);
        self->pump();
      }
    };
    const auto result = reader_->read(free_space(), done);
    if (!result) return;
    take(*result);
  }
}

Space GuestTransfer::free_space() const {
  const std::span<std::byte> ring = ring_->bytes();
  const std::size_t free = ring.size() - static_cast<std::size_t>(filled_ - taken_);
  const auto start = static_cast<std::size_t>(filled_ % ring.size());
  const std::size_t first = std::min(free, ring.size() - start);
  return {std::shared_ptr<std::byte[]>(ring_, ring.data()),
          {ring.subspan(start, first), ring.first(free - first)}};
}

void GuestTransfer::take(const ReadResult& result) {
  reading_ = false;
  filled_ += result.bytes;
  ended_ = result.end;
  failure_ = result.failure;
  tell();
}

void GuestTransfer::tell() {
  const bool end = ended_ || failure_;
  if (!asked_ || told_end_ || (filled_ == told_ && !end)) return;
  asked_ = false;
  told_ = filled_;
  told_end_ = end;
  channel_.send_waiting(isolation::encoded(
      isolation::Filled{id_, filled_, ended_, failure_.has_value(), isolation::cut(failure_.value_or(""))}));
}

void GuestTransfer::close(const host::Ending& ending) {
  reader_.reset();
  transfer_->finish(ending);
}

// An answer may be on its way to the server, which will not take it: then what was opened is closed here.
void GuestTransfer::give_up() {
  reader_.reset();
  host::Ending ending;
  ending.end = TFTPKIT_END_HOST;
  transfer_->abandon();
  transfer_->finish(ending);
}

}  // namespace tftpkit::serve
