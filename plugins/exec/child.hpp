// One program that runs: spawned without a copy of this process, in a process group of its own, with nothing
// of the server but its three streams. Knows nothing of what it is for.
#pragma once

#include "exec/settings.hpp"
#include "kit/unique_fd.hpp"

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tftpkit::exec {

// The child's ends; `in` -1: /dev/null.
struct Streams {
  int in = -1;
  int out = -1;
  int err = -1;
};

struct End {
  int status = 0;  // as waitpid() gives it
  // "ended with exit status 3", "was ended by SIGSEGV"
  [[nodiscard]] std::string text() const;
  // -1: by a signal.
  [[nodiscard]] int exit_status() const noexcept;
};

class Child {
 public:
  // Throws std::system_error with what keeps the program from being run.
  Child(const Program& program, const std::vector<std::string>& environment, const Streams& streams);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once it has ended.
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] bool ended() const;
  // Ends it with all that it started and that is still in its process group.
  void kill() noexcept;
  // Also ends what it left behind. Waits for its end. Once.
  End reap();

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  kit::UniqueFd pidfd_;
};

// Both close-on-exec, and neither is one of the three standard descriptors. Throw std::system_error.
struct Pair {
  kit::UniqueFd ours;
  kit::UniqueFd theirs;
};
// Ours does not block. The socket takes descriptors along.
[[nodiscard]] Pair pipe_from_child();
[[nodiscard]] Pair pipe_to_child();
[[nodiscard]] Pair socket_from_child();

}  // namespace tftpkit::exec
