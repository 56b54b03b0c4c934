#include "isolation/answer.hpp"

#include "host/source.hpp"
#include "observe/log.hpp"

#include <string>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace tftpkit::isolation {

namespace {

std::string text_of(const tftpkit_str& text) {
  return {text.ptr, text.len};
}

bool take_buffer(Answered& answer, const std::vector<host::UniqueFd>& descriptors, Transfer& transfer,
                 tftpkit_source& source) {
  if (descriptors.empty()) {
    if (answer.size != answer.bytes.size()) return false;
    transfer.bytes = std::move(answer.bytes);
    source.data = transfer.bytes.data();
    return true;
  }
  if (!safe_to_map(descriptors.front(), answer.size, true)) return false;
  transfer.memory = std::make_unique<Mapping>(descriptors.front(), static_cast<std::size_t>(answer.size),
                                              Mapping::Access::read);
  source.data = transfer.memory->bytes().data();
  return true;
}

// Others could keep a network thread waiting: a process has to bring their bytes as a stream.
bool take_file(const std::vector<host::UniqueFd>& descriptors, tftpkit_source& source) {
  struct stat seen {};
  if (descriptors.empty() || ::fstat(descriptors.front().get(), &seen) != 0) return false;
  source.fd = descriptors.front().get();
  return S_ISREG(seen.st_mode);
}

bool take_stream(const Answered& answer, const std::vector<host::UniqueFd>& descriptors, Transfer& transfer,
                 std::function<void(std::uint64_t)> want_more) {
  if (descriptors.empty() || answer.ring == 0 || answer.ring > largest_ring) return false;
  if (!safe_to_map(descriptors.front(), answer.ring, false)) return false;
  auto ring = std::make_unique<Mapping>(descriptors.front(), answer.ring, Mapping::Access::read);
  transfer.stream = std::make_unique<Stream>(std::move(ring), std::move(want_more));
  return true;
}

bool take(Answered& answer, const std::vector<host::UniqueFd>& descriptors, Transfer& transfer,
          std::function<void(std::uint64_t)> want_more, tftpkit_source& source) {
  switch (answer.kind) {
  case TFTPKIT_SOURCE_BUFFER: return take_buffer(answer, descriptors, transfer, source);
  case TFTPKIT_SOURCE_FD: return take_file(descriptors, source);
  case TFTPKIT_SOURCE_STREAM: return take_stream(answer, descriptors, transfer, std::move(want_more));
  case TFTPKIT_SOURCE_REDIRECT:
    source.redirect = {answer.redirect.c_str(), answer.redirect.size()};
    return true;
  default: return false;
  }
}

}  // namespace

Open open_message(const tftpkit_request& request) {
  Open open;
  open.id = request.id;
  open.wire_path = text_of(request.wire_path);
  open.path = text_of(request.path);
  open.mode = request.mode;
  open.blksize = request.blksize;
  open.windowsize = request.windowsize;
  open.answer_within_ms = request.answer_within_ms;
  open.peer = request.peer;
  open.local = request.local;
  open.redirects = request.redirects;
  for (std::uint32_t i = 0; i < request.option_count; ++i)
    open.options.emplace_back(text_of(request.options[i].name), text_of(request.options[i].value));
  return open;
}

std::optional<tftpkit_source> source_of(Answered& answer, const std::vector<host::UniqueFd>& descriptors,
                                        Transfer& transfer, std::function<void(std::uint64_t)> want_more) {
  tftpkit_source source = host::blank_source();
  source.kind = answer.kind;
  source.size = answer.size;
  source.fd_offset = answer.fd_offset;
  source.transfer = &transfer;
  try {
    if (!take(answer, descriptors, transfer, std::move(want_more), source)) return std::nullopt;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
  return source;
}

std::uint8_t log_level_of(const observe::Log& log) noexcept {
  using observe::Level;
  for (const Level level : {Level::debug, Level::info, Level::warning})
    if (log.enabled(level)) return static_cast<std::uint8_t>(level);
  return static_cast<std::uint8_t>(Level::error);
}

}  // namespace tftpkit::isolation
