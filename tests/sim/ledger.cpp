#include "ledger.hpp"

#include "trace.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace tftpkit::sim {

namespace {

Address address_of(const tftpkit_addr& peer) {
  if (peer.family == 4)
    return Address::v4({peer.bytes[0], peer.bytes[1], peer.bytes[2], peer.bytes[3]}, peer.port);
  std::array<std::uint8_t, 16> ip{};
  std::copy_n(peer.bytes, ip.size(), ip.begin());
  return Address::v6(ip, peer.port);
}

std::uint32_t execution(Shelf shelf) {
  if (shelf == redirecting || shelf == at_once) return TFTPKIT_EXEC_INLINE;
  return shelf == one_by_one ? TFTPKIT_EXEC_SERIAL : TFTPKIT_EXEC_PARALLEL;
}

// Small enough for the pipe of any kernel to take it whole.
constexpr std::size_t pipe_piece = 1024;

constexpr double slow_reads = 0.04;
constexpr const char* one_call = "calls of one transfer never overlap";

}  // namespace

Ledger::~Ledger() {
  for (const auto& lent : lent_)
    forget_descriptor(*lent);
  for (const auto& [file, fd] : memory_files_)
    ::close(fd);
}

void Ledger::add(File file) {
  files_.emplace(file.path, std::move(file));
}

const File* Ledger::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

host::Code Ledger::code(Shelf shelf) {
  instances_.push_back(std::make_unique<Instance>(Instance{this, shelf}));
  host::Code code;
  code.description.name = "sim";
  code.description.version = "1.0";
  code.description.execution = execution(shelf);
  code.description.reads = true;
  code.plugin.struct_size = static_cast<std::uint32_t>(sizeof code.plugin);
  code.plugin.abi_version = TFTPKIT_ABI_VERSION;
  code.plugin.name = "sim";
  code.plugin.version = "1.0";
  code.plugin.create = create;
  code.plugin.open_read = open_read;
  code.plugin.read = read;
  code.plugin.close = close;
  code.plugin.cancel = cancel;
  code.self = instances_.back().get();
  return code;
}

tftpkit_status Ledger::create(const tftpkit_host* host, void** instance) noexcept {
  static_cast<Instance*>(*instance)->host = host;
  return TFTPKIT_OK;
}

tftpkit_status Ledger::open_read(void* instance, const tftpkit_request* request,
                                 tftpkit_source* source) noexcept {
  const auto& own = *static_cast<Instance*>(instance);
  return own.ledger->answer(own, *request, *source);
}

tftpkit_status Ledger::answer(const Instance& instance, const tftpkit_request& request,
                              tftpkit_source& source) {
  ++opens_;
  const File* file = find({request.path.ptr, request.path.len});
  if (file == nullptr || file->shelf != instance.shelf) return TFTPKIT_DECLINED;
  switch (file->fault) {
  case Fault::absent: return TFTPKIT_E_NOT_FOUND;
  case Fault::forbidden: return tftpkit_fail(instance.host, TFTPKIT_E_ACCESS, "not for\nyou\x01");
  case Fault::nonsense: return 77;
  case Fault::never: return TFTPKIT_PENDING;
  default: break;
  }
  if (!file->pending) return lend(request, *file, source);
  answer_later(instance, request, *file);
  return TFTPKIT_PENDING;
}

// The request may be gone by then: only its number and what was copied may be used.
void Ledger::answer_later(const Instance& instance, const tftpkit_request& request, const File& file) {
  tftpkit_request kept = request;
  kept.options = nullptr;
  machine_.timeline.after(file.answered_after, [this, &instance, kept, &file] {
    machine_.elsewhere([&] {
      tftpkit_source source;
      tftpkit_source_init(&source);
      lend(kept, file, source);
      Lent& lent = *lent_.back();
      if (tftpkit_complete_read(instance.host, kept.id, TFTPKIT_OK, &source, nullptr) != TFTPKIT_OK)
        withdraw(lent, source);
    });
  });
}

// Nobody waits: everything stays ours, and no close follows.
void Ledger::withdraw(Lent& lent, const tftpkit_source& source) {
  lent.offered = false;
  if (source.fd >= 0) ::close(source.fd);
  forget_descriptor(lent);
}

tftpkit_status Ledger::lend(const tftpkit_request& request, const File& file, tftpkit_source& source) {
  Lent& lent = *lent_.emplace_back(std::make_unique<Lent>());
  lent.file = &file;
  lent.request = request.id;
  lent.peer = address_of(request.peer);
  lent.opened = machine_.timeline.now();
  const std::uint64_t size = file.size_known ? file.announced() : TFTPKIT_SIZE_UNKNOWN;
  switch (file.way) {
  case Way::redirect: return tftpkit_answer_redirect(&source, file.redirect.c_str(), &lent);
  case Way::stream: return tftpkit_answer_stream(&source, size, &lent);
  case Way::buffer:
    lent.copy = file.bytes;
    return tftpkit_answer_buffer(&source, lent.copy.data(), lent.copy.size(), &lent);
  case Way::file: open_file(lent, source); break;
  case Way::pipe: open_pipe(lent, source); break;
  }
  return tftpkit_answer_fd(&source, source.fd, size, &lent);
}

int Ledger::memory_file(const File& file) {
  const int fd = ::memfd_create("sim", MFD_CLOEXEC);
  const auto size = static_cast<ssize_t>(file.bytes.size());
  if (::write(fd, file.bytes.data(), file.bytes.size()) != size)
    findings_.add("the machine has memory for the files of plugins", file.path);
  return fd;
}

// A file that stays as it is is one and the same for all. One that shrinks does so at some time during the
// transfer, or behind it.
void Ledger::open_file(Lent& lent, tftpkit_source& source) {
  if (lent.file->fault != Fault::shrinks) {
    const auto [kept, added] = memory_files_.try_emplace(lent.file, -1);
    if (added) kept->second = memory_file(*lent.file);
    source.fd = ::fcntl(kept->second, F_DUPFD_CLOEXEC, 0);
    return;
  }
  source.fd = memory_file(*lent.file);
  lent.other_end = ::fcntl(source.fd, F_DUPFD_CLOEXEC, 0);
  machine_.timeline.after(random_.between(Duration{}, std::chrono::milliseconds(300)), [&lent] {
    if (lent.other_end < 0) return;
    if (::ftruncate(lent.other_end, static_cast<off_t>(lent.file->middle())) != 0) return;
    Trace::say("plugin", "truncates " + lent.file->path);
  });
}

void Ledger::open_pipe(Lent& lent, tftpkit_source& source) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    findings_.add("the machine has descriptors for the pipes of plugins", lent.file->path);
  source.fd = ends[0];
  lent.other_end = ends[1];
  machine_.timeline.after(random_.between(Duration{}, std::chrono::milliseconds(20)),
                          [this, &lent] { feed_pipe(lent); });
}

void Ledger::feed_pipe(Lent& lent) {
  machine_.pipes_touched = true;
  if (lent.other_end < 0) return;
  const auto& bytes = lent.file->bytes;
  const bool stalls = lent.file->fault == Fault::stalls;
  const std::size_t end = stalls ? lent.file->middle() : bytes.size();
  if (stalls && lent.position == end) return;
  const std::size_t rest = std::min(pipe_piece, end - lent.position);
  const ssize_t taken = rest == 0 ? 0 : ::write(lent.other_end, bytes.data() + lent.position, rest);
  if (taken > 0) lent.position += static_cast<std::size_t>(taken);
  const bool reader_gone = taken < 0 && errno != EAGAIN;
  if (reader_gone || lent.position == bytes.size()) return forget_descriptor(lent);
  const auto pause = random_.between(std::chrono::microseconds(10), std::chrono::milliseconds(2));
  machine_.timeline.after(pause, [this, &lent] { feed_pipe(lent); });
}

void Ledger::forget_descriptor(Lent& lent) {
  if (lent.other_end >= 0) ::close(std::exchange(lent.other_end, -1));
}

std::int64_t Ledger::read(void* instance, void* transfer, void* buffer, std::size_t capacity) noexcept {
  const auto& own = *static_cast<Instance*>(instance);
  auto& lent = *static_cast<Lent*>(transfer);
  if (lent.closes > 0 || !lent.offered || lent.file->way != Way::stream)
    own.ledger->findings_.add("no read after close, and of streams only", lent.file->path);
  own.ledger->take_time(lent);
  return own.ledger->read_on(lent, {static_cast<std::byte*>(buffer), capacity}, own);
}

// On a thread of its own a read may take its time, while everything else goes on: the loop, and calls of
// other threads. Not for this transfer.
void Ledger::take_time(Lent& lent) {
  if (machine_.thread() == 0 || !random_.chance(slow_reads)) return;
  if (std::exchange(lent.reading, true))
    findings_.add(one_call, lent.file->path + " is read twice at a time");
  machine_.let_pass(random_.between(Duration{}, std::chrono::milliseconds(60)));
  lent.reading = false;
}

std::int64_t Ledger::read_on(Lent& lent, std::span<std::byte> into, const Instance& instance) {
  const File& file = *lent.file;
  if (file.fault == Fault::fails && lent.position >= file.middle())
    return tftpkit_fail(instance.host, TFTPKIT_E_IO, "the backend hung up");
  std::size_t count = std::min(into.size(), file.bytes.size() - lent.position);
  if (file.piece != 0) count = std::min(count, file.piece);
  std::copy_n(file.bytes.begin() + static_cast<std::ptrdiff_t>(lent.position), count, into.begin());
  lent.position += count;
  return static_cast<std::int64_t>(count);
}

void Ledger::close(void* instance, void* transfer, const tftpkit_outcome* outcome) noexcept {
  Ledger& ledger = *static_cast<Instance*>(instance)->ledger;
  auto& lent = *static_cast<Lent*>(transfer);
  if (++lent.closes > 1 || !lent.offered)
    ledger.findings_.add("every source is closed exactly once", lent.file->path + " is closed again");
  if (lent.reading) ledger.findings_.add(one_call, lent.file->path + " is closed beside a read");
  lent.end = outcome->end;
  lent.closed = ledger.machine_.timeline.now();
  std::fill(lent.copy.begin(), lent.copy.end(), std::byte{0xdd});
  ledger.forget_descriptor(lent);
}

void Ledger::cancel(void* instance, void* transfer) noexcept {
  const auto& lent = *static_cast<Lent*>(transfer);
  if (lent.closes > 0)
    static_cast<Instance*>(instance)->ledger->findings_.add("no cancel after close", lent.file->path);
}

void Ledger::check_closed() {
  for (const auto& lent : lent_)
    if (lent->offered && lent->closes == 0)
      findings_.add("every source is closed exactly once",
                    lent->file->path + " for " + lent->peer.to_string() + " is never closed");
}

}  // namespace tftpkit::sim
