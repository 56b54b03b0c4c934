// The log: one line per event, to stderr or a file, as text for people or JSON for machines. It escapes what
// it is given, limits repeats and never makes its caller wait: a thread of its own writes, out of a bounded
// queue that drops and counts. It knows nothing of TFTP. One object, made by main and passed by reference.
#pragma once

#include "observe/field.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tftpkit::observe {

enum class Level : std::uint8_t { debug, info, warning, error };

// "debug", "info", "warning", "error"; the second answers nullopt for any other word.
[[nodiscard]] std::string_view name_of(Level level) noexcept;
[[nodiscard]] std::optional<Level> level_named(std::string_view name) noexcept;

struct LogOptions {
  // automatic is text: a machine that wants JSON says so, and a person who pipes into `less` or the journal
  // reads.
  enum class Format : std::uint8_t { automatic, text, json };

  Level level = Level::info;  // lines below it are not written
  Format format = Format::automatic;
  std::string file;  // appended to, created with mode 0640; empty: stderr
  std::size_t queue_bytes =
      1 << 20;                 // lines waiting for a slow reader; what does not fit is dropped and counted
  std::uint32_t repeats = 10;  // of the same warning or error in `repeat_window`; the rest is one number
  std::chrono::milliseconds repeat_window{10'000};
};

// All functions may be called from any thread; none throws, save the constructor.
class Log {
 public:
  // Throws std::system_error naming the file when it cannot be opened. Starts the writing thread.
  explicit Log(const LogOptions& options);
  // Writes what is queued, for at most a second when nobody reads.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // One line. `message` is ours: short, lower case, constant. What varies is a field.
  // Repeats: warnings and errors with the same `message` and `subject` (who or what it is about, e.g. the
  // client's address) are collapsed into "... and 123 more like this"; info lines only when they have a
  // subject.
  void write(Level level, std::string_view message, std::initializer_list<Field> fields = {},
             std::string_view subject = {}) noexcept;
  void write(Level level, std::string_view message, std::span<const Field> fields,
             std::string_view subject = {}) noexcept;

  // Would a line of this level be written? For fields that cost something to make.
  [[nodiscard]] bool enabled(Level level) const noexcept;
  void set_level(Level level) noexcept;

  // Waits until everything written so far is out, at most a second.
  void flush() noexcept;
  // Opens the file anew at the next line (log rotation). When that fails the old one stays and the log says
  // so.
  void reopen() noexcept;
  // Lines dropped so far because nobody read them in time or they could not be written.
  [[nodiscard]] std::uint64_t lost() const noexcept;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace tftpkit::observe
