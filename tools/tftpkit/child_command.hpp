// ChildCommand: the command of `serve --run`. Its process is made before anything else, because nothing may
// be forked once a plugin is loaded; it waits until it is told the server's address.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace tftpkit::cli {

class ChildCommand {
 public:
  // Forks at once; call it while the process has one thread. Throws std::system_error.
  explicit ChildCommand(const std::string& command);
  ~ChildCommand();  // a command that never started is gone; one that runs is asked to end and waited for
  ChildCommand(const ChildCommand&) = delete;
  ChildCommand& operator=(const ChildCommand&) = delete;

  // Runs it by /bin/sh with TFTP_ADDR=address.
  void start(const std::string& address);

  // Has it ended? Its exit status then, or 128 plus the signal that ended it.
  [[nodiscard]] std::optional<int> ended();

 private:
  pid_t pid_ = -1;
  int address_pipe_ = -1;
  std::optional<int> status_;
};

}  // namespace tftpkit::cli
