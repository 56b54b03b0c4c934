// Stage: the kit's own host for one instance. Calls the plugin as the contract has it and remembers what the
// server's host would only log: how often an answer came, what it was told, whether anything is still owed.
// Shares no code of calls with room host, so that the two are two readings of plugin.h.
#pragma once

#include "conformance/result.hpp"
#include "host/description.hpp"
#include "host/requests.hpp"
#include "host/settings.hpp"
#include "host/source.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace tftpkit::conformance {

// A struct of the ABI, at the very end of a page when `guarded`: whoever reads beyond its struct_size, reads
// what is not there.
class Block {
 public:
  Block(const void* content, std::size_t size, bool guarded);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  [[nodiscard]] void* get() const noexcept { return begin_; }

 private:
  std::unique_ptr<std::max_align_t[]> plain_;
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  void* begin_ = nullptr;
};

class Asked;

class Stage {
 public:
  enum class Memory : std::uint8_t { usual, guarded };
  // Tells what is about to be called, so that a crash can be placed.
  using Note = std::function<void(const std::string&)>;

  Stage(const tftpkit_plugin& plugin, host::Settings settings, Note note, Memory memory = Memory::usual);
  ~Stage();  // end(), when it began, unless a check has failed: then the plugin is not called again
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // create() and start(). Throws Fails with the plugin's explanation.
  void begin();
  // The same, but what went wrong as a text; nothing when all is well.
  std::optional<std::string> try_begin();
  // stop() and destroy().
  void end();

  [[nodiscard]] const tftpkit_plugin& plugin() const noexcept { return plugin_; }
  [[nodiscard]] bool guarded() const noexcept { return memory_ == Memory::guarded; }
  [[nodiscard]] void* self() const noexcept { return self_; }
  void note(const std::string& what) const { note_(what); }

 private:
  friend class Asked;
  friend struct StageTable;

  std::uint64_t enter(Asked& asked);
  void leave(std::uint64_t id);

  tftpkit_plugin plugin_;
  host::Settings settings_;
  Note note_;
  Memory memory_;
  std::unique_ptr<Block> table_;
  void* self_ = nullptr;
  bool created_ = false;
  bool started_ = false;
  std::mutex mutex_;  // asked_ and all that complete() touches
  std::condition_variable answered_;
  std::map<std::uint64_t, Asked*> asked_;
};

// One request on a stage, from open to close. Everything that breaks the contract is thrown as Fails.
class Asked {
 public:
  Asked(Stage& stage, const std::string& path, const std::string& wire_path = {});
  // Closes; a request that is still PENDING is given up, and waited for a while. Not when a check has failed.
  ~Asked();
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  // open_read() and, after PENDING, the wait for complete(). Returns the status, never PENDING.
  tftpkit_status open();
  // open_read() without the wait: PENDING when the answer is still to come.
  tftpkit_status open_only();
  tftpkit_status wait();
  // The host waits no more: cancelled() says so, complete() gets E_STALE. False: the answer came before that.
  bool give_up();

  [[nodiscard]] bool pended() const noexcept { return pended_; }
  [[nodiscard]] bool completed_early() const noexcept { return early_; }
  [[nodiscard]] unsigned completions();
  // Waits for a complete() of a request that was given up. False: none came in time.
  bool wait_for_late_completion(std::chrono::milliseconds time);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] tftpkit_status status() const noexcept { return status_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::optional<host::Source>& source() const noexcept { return source_; }
  [[nodiscard]] bool answers_with(host::Kind kind) const noexcept { return source_ && source_->kind == kind; }

  // STREAM: one read(); bytes, 0 at the end, or a negative status with text().
  std::int64_t read(std::span<std::byte> into);
  // Up to `most` bytes of whatever the answer is; streams by pieces of `piece`.
  std::string content(std::size_t most, std::size_t piece = 65536);
  void cancel();
  void close(std::uint32_t end = TFTPKIT_END_DELIVERED);

 private:
  friend class Stage;
  friend struct StageTable;

  void settle();
  [[nodiscard]] std::string call(const char* function) const;
  void take(tftpkit_status status, const tftpkit_source& source);
  std::string from_descriptor(std::size_t most) const;
  std::string from_stream(std::size_t most, std::size_t piece);

  Stage& stage_;
  std::string path_;
  std::unique_ptr<host::HeldRequest> held_;
  std::unique_ptr<Block> request_;
  tftpkit_status status_ = TFTPKIT_PENDING;
  std::string text_;
  std::optional<host::Source> source_;
  void* transfer_ = nullptr;
  bool pended_ = false;
  bool open_ = false;  // close() is owed
  // The stage's mutex, from here on.
  bool opening_ = false;
  bool early_ = false;
  bool given_up_ = false;
  unsigned completions_ = 0;
  std::optional<tftpkit_status> completed_;
  tftpkit_source completed_source_{};
  std::string completed_redirect_;
  std::string completed_fault_;
};

// How long an answer by complete() may take.
inline constexpr std::chrono::seconds patience{10};

}  // namespace tftpkit::conformance
