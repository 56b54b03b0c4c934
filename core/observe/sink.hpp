// Where log lines go: stderr or a file. Writing waits for a slow reader but can be interrupted, and never
// raises SIGPIPE in a thread that blocks it. It knows nothing of lines' meaning. The log's writing thread
// owns it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tftpkit::observe {

class Sink {
 public:
  // Empty `file`: stderr. Throws std::system_error naming the file.
  explicit Sink(std::string file);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] bool is_terminal() const noexcept;

  // Writes whole lines; waits while nobody reads, until interrupt(). Returns how many lines were lost, and
  // why in last_error(): an errno value, ETIMEDOUT when interrupted.
  [[nodiscard]] std::size_t write(std::string_view lines) noexcept;
  [[nodiscard]] int last_error() const noexcept { return last_error_; }

  // From any thread: ends a waiting write() and every later one.
  void interrupt() noexcept;

  // Opens the file anew; an errno value when that failed (the old one stays), 0 when it worked or there is
  // none.
  [[nodiscard]] int reopen() noexcept;

 private:
  [[nodiscard]] int wait_writable() const noexcept;
  [[nodiscard]] std::size_t lose(std::string_view lines, int error) noexcept;

  std::string file_;
  int fd_ = -1;
  int interrupt_fd_ = -1;
  int last_error_ = 0;
  bool is_socket_ = false;
  bool mid_line_ = false;  // the last byte written was no newline
  bool torn_ = false;      // the rest of that line is lost: begin with a newline
};

}  // namespace tftpkit::observe
