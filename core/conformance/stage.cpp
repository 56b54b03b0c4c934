#include "conformance/stage.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tftpkit::conformance {

namespace {

// Where each struct ended in ABI 1.0: the least that any host of this major has.
constexpr std::size_t host_size = offsetof(tftpkit_host, extension) + sizeof(tftpkit_host::extension);
// NOLINTNEXTLINE(bugprone-sizeof-expression): the size of the pointer is meant
constexpr std::size_t request_size = offsetof(tftpkit_request, options) + sizeof(tftpkit_request::options);
constexpr std::size_t source_size = offsetof(tftpkit_source, flags) + sizeof(tftpkit_source::flags);
constexpr std::size_t outcome_size = offsetof(tftpkit_outcome, resends) + sizeof(tftpkit_outcome::resends);

// What explain() said during the call that is under way on this thread.
thread_local std::string* explanation = nullptr;

class Explained {
 public:
  explicit Explained(std::string& into) : outer_{std::exchange(explanation, &into)} { into.clear(); }
  ~Explained() { explanation = outer_; }
  Explained(const Explained&) = delete;
  Explained& operator=(const Explained&) = delete;

 private:
  std::string* outer_;
};

std::string number(std::int64_t value) {
  return std::to_string(value);
}

std::string said(const std::string& text) {
  return text.empty() ? "" : ": " + text;
}

}  // namespace

Block::Block(const void* content, std::size_t size, bool guarded) {
  if (guarded) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    mapped_ = (size + page - 1) / page * page + page;
    mapping_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) throw std::bad_alloc();
    char* const end = static_cast<char*>(mapping_) + mapped_ - page;
    ::mprotect(end, page, PROT_NONE);
    begin_ = end - size;
  } else {
    plain_ = std::make_unique<std::max_align_t[]>(size / sizeof(std::max_align_t) + 1);
    begin_ = plain_.get();
  }
  std::memcpy(begin_, content, size);
}

Block::~Block() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapped_);
}

// The functions behind the table.
struct StageTable {
  static Stage* of(const tftpkit_host* host) { return static_cast<Stage*>(host->impl); }

  static void log(const tftpkit_host* /*host*/, std::uint32_t /*level*/, const char* text,
                  std::size_t len) noexcept {
    // As a log would: a length that lies is found here.
    std::string copy;
    if (text != nullptr) copy.assign(text, len);
  }
  static std::int32_t log_enabled(const tftpkit_host* /*host*/, std::uint32_t /*level*/) noexcept {
    return 1;
  }
  static void explain(const tftpkit_host* /*host*/, const char* text, std::size_t len) noexcept {
    if (explanation != nullptr && text != nullptr) explanation->assign(text, len);
  }
  static std::int32_t setting(const tftpkit_host* host, const char* pointer, tftpkit_str* value) noexcept {
    const std::string* text = of(host)->settings_.text(pointer);
    if (text == nullptr) return 0;
    *value = {text->c_str(), text->size()};
    return 1;
  }
  static std::int32_t setting_int(const tftpkit_host* host, const char* pointer,
                                  std::int64_t* value) noexcept {
    const std::int64_t* found = of(host)->settings_.integer(pointer);
    if (found == nullptr) return 0;
    *value = *found;
    return 1;
  }
  static std::size_t setting_count(const tftpkit_host* host, const char* pointer) noexcept {
    return of(host)->settings_.count(pointer);
  }
  static std::int32_t cancelled(const tftpkit_host* host, std::uint64_t id) noexcept {
    Stage& stage = *of(host);
    const std::lock_guard lock{stage.mutex_};
    const auto found = stage.asked_.find(id);
    return found == stage.asked_.end() || found->second->given_up_ ? 1 : 0;
  }
  static tftpkit_status complete(const tftpkit_host* host, std::uint64_t id, tftpkit_status status,
                                 const tftpkit_source* source, const tftpkit_sink* /*sink*/, const char* text,
                                 std::size_t len) noexcept {
    Stage& stage = *of(host);
    const std::lock_guard lock{stage.mutex_};
    const auto found = stage.asked_.find(id);
    if (found == stage.asked_.end()) return TFTPKIT_E_STALE;
    return completed(stage, *found->second, status, source, std::string(text == nullptr ? "" : text, len));
  }
  static tftpkit_status peer_link_address(const tftpkit_host* /*host*/, std::uint64_t /*id*/,
                                          std::uint8_t* /*mac*/) noexcept {
    return TFTPKIT_E_NOT_FOUND;
  }
  static const void* extension(const tftpkit_host* /*host*/, const char* /*name*/) noexcept {
    return nullptr;
  }

  static tftpkit_host made_for(Stage& stage) {
    tftpkit_host table{};
    table.struct_size = static_cast<std::uint32_t>(host_size);
    table.abi_version = TFTPKIT_ABI_MAJOR << 16U;  // 1.0: the oldest host that there can be
    table.impl = &stage;
    table.product = "tftpkit";
    table.product_version = "check";
    table.instance_name = "check";
    table.log = log;
    table.log_enabled = log_enabled;
    table.explain = explain;
    table.setting = setting;
    table.setting_int = setting_int;
    table.setting_count = setting_count;
    table.cancelled = cancelled;
    table.complete = complete;
    table.peer_link_address = peer_link_address;
    table.extension = extension;
    return table;
  }

 private:
  // Under the stage's lock.
  static tftpkit_status completed(Stage& stage, Asked& asked, tftpkit_status status,
                                  const tftpkit_source* source, std::string text) {
    ++asked.completions_;
    stage.answered_.notify_all();
    if (asked.given_up_ || asked.completed_) return TFTPKIT_E_STALE;
    asked.completed_ = status;
    asked.early_ = asked.opening_;
    asked.completed_fault_ = fault_of(stage, status, source);
    if (!asked.completed_fault_.empty()) return TFTPKIT_E_INVALID;
    if (source != nullptr && status == TFTPKIT_OK) {
      std::memcpy(&asked.completed_source_, source, source_size);
      asked.completed_redirect_.assign(source->redirect.ptr == nullptr ? "" : source->redirect.ptr,
                                       source->redirect.len);
      asked.completed_source_.redirect = {asked.completed_redirect_.c_str(),
                                          asked.completed_redirect_.size()};
    }
    asked.text_ = std::move(text);
    return TFTPKIT_OK;
  }
  static std::string fault_of(const Stage& stage, tftpkit_status status, const tftpkit_source* source) {
    if (!host::known_answer(status)) return "complete() with the status " + number(status);
    if (status != TFTPKIT_OK) return {};
    if (source == nullptr) return "complete() with OK and no source";
    const std::string fault = host::fault(*source, stage.plugin_.read != nullptr);
    return fault.empty() ? fault : "complete() with " + fault;
  }
};

Stage::Stage(const tftpkit_plugin& plugin, host::Settings settings, Note note, Memory memory)
    : plugin_{plugin}, settings_{std::move(settings)}, note_{std::move(note)}, memory_{memory} {
  const tftpkit_host table = StageTable::made_for(*this);
  table_ = std::make_unique<Block>(&table, host_size, guarded());
}

Stage::~Stage() {
  if (std::uncaught_exceptions() == 0) end();
}

std::optional<std::string> Stage::try_begin() {
  std::string text;
  const Explained explained{text};
  const auto failed = [&](const char* function, tftpkit_status status) {
    return std::string{function} + "() failed with " + std::string{host::text(status)} + said(text);
  };
  note_("create()");
  if (plugin_.create != nullptr) {
    const auto status = plugin_.create(static_cast<const tftpkit_host*>(table_->get()), &self_);
    if (status != TFTPKIT_OK) return failed("create", status);
  }
  created_ = true;
  note_("start()");
  if (plugin_.start != nullptr) {
    const auto status = plugin_.start(self_);
    if (status != TFTPKIT_OK) return failed("start", status);
  }
  started_ = true;
  return std::nullopt;
}

void Stage::begin() {
  if (const auto trouble = try_begin())
    throw Fails{*trouble, "create() or start()", "an instance begins with the settings that it is given"};
}

void Stage::end() {
  if (std::exchange(started_, false) && plugin_.stop != nullptr) {
    note_("stop()");
    plugin_.stop(self_);
  }
  if (std::exchange(created_, false) && plugin_.destroy != nullptr) {
    note_("destroy()");
    plugin_.destroy(self_);
  }
}

std::uint64_t Stage::enter(Asked& asked) {
  static std::uint64_t last_id = 0;
  const std::lock_guard lock{mutex_};
  asked_[++last_id] = &asked;
  return last_id;
}

void Stage::leave(std::uint64_t id) {
  const std::lock_guard lock{mutex_};
  asked_.erase(id);
}

Asked::Asked(Stage& stage, const std::string& path, const std::string& wire_path)
    : stage_{stage}, path_{path} {
  host::OpenRequest request;
  request.id = stage.enter(*this);
  request.path = path;
  request.wire_path = wire_path.empty() ? path : wire_path;
  request.answer_within = patience;
  request.peer = {4, 2070, 0, {127, 0, 0, 1}};
  request.local = {4, 69, 0, {127, 0, 0, 1}};
  request.options = {{"tsize", "0"}, {"blksize", "512"}};
  held_ = std::make_unique<host::HeldRequest>(std::move(request));
  request_ = std::make_unique<Block>(&held_->view(), request_size, stage.guarded());
  static_cast<tftpkit_request*>(request_->get())->struct_size = request_size;
}

Asked::~Asked() {
  if (std::uncaught_exceptions() == 0) settle();
  stage_.leave(held_->id());
}

void Asked::settle() {
  if (pended_ && status_ == TFTPKIT_PENDING) {
    if (give_up())
      wait_for_late_completion(patience);
    else if (completed_fault_.empty())
      take(*completed_, completed_source_);
  }
  close(TFTPKIT_END_HOST);
}

std::string Asked::call(const char* function) const {
  return std::string{function} + "() for \"" + path_.substr(0, 60) + (path_.size() > 60 ? "...\"" : "\"");
}

tftpkit_status Asked::open_only() {
  if (stage_.plugin_.open_read == nullptr) throw Skips{"the plugin offers no reads"};
  stage_.note(call("open_read"));
  const tftpkit_source blank = host::blank_source();
  const Block source{&blank, source_size, stage_.guarded()};
  auto* const filled = static_cast<tftpkit_source*>(source.get());
  filled->struct_size = source_size;
  std::string text;
  {
    const std::lock_guard lock{stage_.mutex_};
    opening_ = true;
  }
  tftpkit_status status = TFTPKIT_E_INTERNAL;
  {
    const Explained explained{text};
    status =
        stage_.plugin_.open_read(stage_.self_, static_cast<const tftpkit_request*>(request_->get()), filled);
  }
  const std::lock_guard lock{stage_.mutex_};
  opening_ = false;
  if (status == TFTPKIT_PENDING) {
    pended_ = true;
    return status;
  }
  if (completions_ > 0)
    throw Fails{"open_read() returned " + std::string{host::text(status)} + " after complete() had answered",
                call("open_read"), "one answer: return TFTPKIT_PENDING when complete() is called"};
  text_ = text;
  take(status, *filled);
  return status_;
}

tftpkit_status Asked::wait() {
  std::unique_lock lock{stage_.mutex_};
  if (!stage_.answered_.wait_for(lock, patience, [this] { return completed_.has_value(); }))
    throw Fails{"PENDING, and no complete() within " + number(patience.count()) + " s", call("open_read"),
                "complete() every request, within answer_within_ms"};
  if (!completed_fault_.empty())
    throw Fails{completed_fault_, call("complete"), "plugin.h, \"answers: reads\""};
  take(*completed_, completed_source_);
  return status_;
}

tftpkit_status Asked::open() {
  return open_only() == TFTPKIT_PENDING ? wait() : status_;
}

void Asked::take(tftpkit_status status, const tftpkit_source& source) {
  if (!host::known_answer(status))
    throw Fails{"the unknown status " + number(status), call("open_read"), "one of TFTPKIT_* in plugin.h"};
  status_ = status;
  if (status != TFTPKIT_OK) return;
  struct stat seen {};
  if (const std::string fault = host::fault(source, stage_.plugin_.read != nullptr, seen); !fault.empty())
    throw Fails{"an answer with " + fault, call("open_read"), "plugin.h, \"answers: reads\""};
  source_ = host::taken(source, seen);
  transfer_ = source.transfer;
  open_ = true;
}

bool Asked::give_up() {
  const std::lock_guard lock{stage_.mutex_};
  given_up_ = !completed_;
  return given_up_;
}

unsigned Asked::completions() {
  const std::lock_guard lock{stage_.mutex_};
  return completions_;
}

bool Asked::wait_for_late_completion(std::chrono::milliseconds time) {
  std::unique_lock lock{stage_.mutex_};
  return stage_.answered_.wait_for(lock, time, [this] { return completions_ > 0; });
}

std::int64_t Asked::read(std::span<std::byte> into) {
  std::string text;
  std::int64_t got = 0;
  {
    const Explained explained{text};
    got = stage_.plugin_.read(stage_.self_, transfer_, into.data(), into.size());
  }
  if (got > 0 && static_cast<std::uint64_t>(got) > into.size())
    throw Fails{"read() returned " + number(got) + " bytes for a buffer of " + std::to_string(into.size()),
                call("read"), "at most as many as capacity says"};
  if (got < 0) {
    if (!host::known_failure(got))
      throw Fails{"read() returned the unknown status " + number(got), call("read"),
                  "one of TFTPKIT_E_* in plugin.h"};
    text_ = std::string{host::text(static_cast<tftpkit_status>(got))} + said(text);
  }
  return got;
}

std::string Asked::from_stream(std::size_t most, std::size_t piece) {
  std::string all;
  std::vector<std::byte> buffer(piece);
  while (all.size() < most) {
    stage_.note(call("read"));
    const std::int64_t got = read(buffer);
    if (got < 0)
      throw Fails{"read() failed with " + text_ + " after " + std::to_string(all.size()) +
                      " bytes, asked for " + std::to_string(piece),
                  call("read"), "bytes, or 0 at the end"};
    if (got == 0) break;
    all.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(got));
  }
  return all;
}

std::string Asked::from_descriptor(std::size_t most) const {
  std::string all;
  std::array<char, 65536> buffer{};
  while (all.size() < most) {
    pollfd ready{source_->fd.get(), POLLIN, 0};
    if (!source_->regular && ::poll(&ready, 1, static_cast<int>(patience.count()) * 1000) == 0)
      throw Fails{"nothing came from the descriptor for " + number(patience.count()) + " s",
                  call("open_read"), "write to the other end, and close it"};
    const ssize_t got = source_->regular ? ::pread(source_->fd.get(), buffer.data(), buffer.size(),
                                                   static_cast<off_t>(source_->fd_offset + all.size()))
                                         : ::read(source_->fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Fails{std::string{"its descriptor: "} + std::strerror(errno), call("open_read"),
                  "a readable one"};
    if (got == 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (source_->regular && source_->size) all.resize(std::min<std::uint64_t>(all.size(), *source_->size));
  return all;
}

std::string Asked::content(std::size_t most, std::size_t piece) {
  if (!source_) return {};
  switch (source_->kind) {
  case host::Kind::buffer:
    return {reinterpret_cast<const char*>(source_->data.data()), std::min(most, source_->data.size())};
  case host::Kind::fd: return from_descriptor(most);
  case host::Kind::stream: return from_stream(most, piece);
  case host::Kind::redirect: return source_->redirect;
  }
  return {};
}

void Asked::cancel() {
  stage_.note(call("cancel"));
  if (open_ && stage_.plugin_.cancel != nullptr) stage_.plugin_.cancel(stage_.self_, transfer_);
}

void Asked::close(std::uint32_t end) {
  if (!std::exchange(open_, false)) return;
  stage_.note(call("close"));
  source_.reset();
  tftpkit_outcome outcome{};
  outcome.struct_size = outcome_size;
  outcome.end = end;
  const Block told{&outcome, outcome_size, stage_.guarded()};
  if (stage_.plugin_.close != nullptr)
    stage_.plugin_.close(stage_.self_, transfer_, static_cast<const tftpkit_outcome*>(told.get()));
}

}  // namespace tftpkit::conformance
