#include "serve/make_body.hpp"

#include "serve/file_reader.hpp"
#include "serve/pipe_reader.hpp"
#include "serve/plugin_transfer.hpp"
#include "serve/shared_body.hpp"
#include "serve/shared_file.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tftpkit::serve {

namespace {

// What a ring holds beyond one window. A file's bytes come at once: a few small blocks save system calls, and
// 10,000 open transfers should not hold more than they send.
constexpr std::size_t file_ahead = 2 * 512;
// Sources that take their time are read a window ahead, and at least so much.
constexpr std::size_t slow_ahead = 32 * 1024;

// Bytes in memory as a Reader, for netascii.
class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(std::span<const std::byte> bytes) : rest_{bytes} {}

  std::optional<ReadResult> read(Space space, OnDone) override {
    ReadResult result;
    for (const auto& part : space.parts) {
      const std::size_t length = std::min(part.size(), rest_.size());
      std::copy_n(rest_.begin(), length, part.begin());
      rest_ = rest_.subspan(length);
      result.bytes += length;
    }
    result.end = rest_.empty();
    return result;
  }
  [[nodiscard]] bool reads_ahead() const noexcept override { return false; }

 private:
  std::span<const std::byte> rest_;
};

std::size_t window_bytes(const transfer::Terms& terms) {
  return std::size_t{terms.windowsize} * terms.blksize;
}

bool in_memory(const host::Source& source) {
  return source.kind == host::Kind::buffer;
}
bool is_file(const host::Source& source) {
  return source.kind == host::Kind::fd && source.regular;
}

bool stays_where_it_is(const host::Source& source, const transfer::Terms& terms) {
  return in_memory(source) && terms.mode == wire::Mode::octet;
}

// netascii of a file or stream would have to be read twice to know; then tsize is left out.
std::optional<std::uint64_t> wire_size(const host::Source& source, const transfer::Terms& terms) {
  if (terms.mode == wire::Mode::octet) return source.size;
  if (in_memory(source)) return wire::netascii_size(source.data);
  return std::nullopt;
}

std::unique_ptr<Reader> make_reader(host::Source& source, const std::shared_ptr<PluginTransfer>& answered,
                                    const BodyHome& home) {
  if (in_memory(source)) return std::make_unique<MemoryReader>(source.data);
  if (is_file(source))
    return std::make_unique<FileReader>(home.loop, home.disk, OpenFile{std::move(source.fd), source.file},
                                        source.fd_offset, source.size);
  if (source.kind == host::Kind::fd) return std::make_unique<PipeReader>(home.loop, std::move(source.fd));
  return std::make_unique<CallReader>(answered);
}

// Null when this has to be read for itself.
std::unique_ptr<Body> shared_body(host::Source& source, const transfer::Terms& terms, BodyHome& home) {
  if (home.files == nullptr || !is_file(source) || terms.mode != wire::Mode::octet) return nullptr;
  if (source.size.value_or(0) == 0) return nullptr;
  const std::size_t window = window_bytes(terms);
  auto file = home.files->join(source, window);
  if (!file) return nullptr;
  return std::make_unique<SharedBody>(std::move(file), source.fd_offset, *source.size, window,
                                      std::move(home.on_ready));
}

}  // namespace

std::size_t body_memory(const host::Source& source, const transfer::Terms& terms) {
  if (stays_where_it_is(source, terms)) return 0;
  const std::size_t window = window_bytes(terms);
  const bool fast = in_memory(source) || is_file(source);
  const std::size_t capacity = window + (fast ? file_ahead : std::max(window, slow_ahead));
  if (!source.size) return capacity;
  const std::uint64_t whole = terms.mode == wire::Mode::octet ? *source.size : *source.size * 2;
  // A byte more than the announced size lets a source that has more give itself away.
  return static_cast<std::size_t>(std::min<std::uint64_t>(capacity, std::max<std::uint64_t>(whole, 1) + 2));
}

std::unique_ptr<Body> make_body(host::Source source, const transfer::Terms& terms,
                                const std::shared_ptr<PluginTransfer>& answered, BodyHome home) {
  if (stays_where_it_is(source, terms)) return std::make_unique<MemoryBody>(source.data);
  if (auto body = shared_body(source, terms, home)) return body;
  ReadBody::Plan plan;
  plan.capacity = body_memory(source, terms);
  plan.raw_size = source.size;
  plan.wire_size = wire_size(source, terms);
  plan.netascii = terms.mode == wire::Mode::netascii;
  auto reader = make_reader(source, answered, home);
  return std::make_unique<ReadBody>(plan, std::move(reader), std::move(home.on_ready));
}

}  // namespace tftpkit::serve
