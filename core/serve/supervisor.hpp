// Supervisor: who started this process as a service and wants to hear how it is, by systemd's protocol
// (sd_notify(3)): datagrams to the socket that $NOTIFY_SOCKET names. Without one every call does nothing.
// Knows nothing of the server. For one thread.
#pragma once

#include "loop/fd.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tftpkit::serve {

class Supervisor {
 public:
  Supervisor() = default;
  // Takes the variables out of the environment, so that no plugin's process speaks for this one. Connects at
  // once: later the socket may be out of sight. Throws std::runtime_error for an address that is none.
  static Supervisor from_environment();

  void ready(std::string_view status) const noexcept;
  void reloading() const noexcept;  // until the next ready()
  void stopping(std::string_view status) const noexcept;
  void alive() const noexcept;

  // alive() has to be said at least this often, or the process is ended; none: nobody waits for it.
  [[nodiscard]] std::optional<std::chrono::microseconds> patience() const noexcept { return patience_; }

 private:
  void tell(const std::string& state) const noexcept;

  loop::Fd socket_;
  std::optional<std::chrono::microseconds> patience_;
};

}  // namespace tftpkit::serve
