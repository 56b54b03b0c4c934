#include "serve/supervisor.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace tftpkit::serve {

namespace {

std::string taken(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(name);
  return text;
}

std::optional<long long> number_in(const std::string& text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

// A path, or "@name" in the abstract namespace.
loop::Fd connected_to(const std::string& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool known = place[0] == '/' || place[0] == '@';
  if (!known || place.size() < 2 || place.size() >= sizeof address.sun_path)
    throw std::runtime_error("NOTIFY_SOCKET is neither an absolute path nor \"@name\", of at most 107 bytes");
  std::memcpy(address.sun_path, place.data(), place.size());
  if (place[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + place.size());
  loop::Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    throw std::runtime_error("NOTIFY_SOCKET: nobody listens there: " + std::string(std::strerror(errno)));
  return fd;
}

// Of the clock by which the supervisor tells this reload from an earlier one.
long long monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

Supervisor Supervisor::from_environment() {
  Supervisor made;
  const std::string place = taken("NOTIFY_SOCKET");
  const auto patience = number_in(taken("WATCHDOG_USEC"));
  const std::string whose = taken("WATCHDOG_PID");
  if (place.empty()) return made;
  made.socket_ = connected_to(place);
  const bool ours = whose.empty() || number_in(whose) == ::getpid();
  if (patience && ours) made.patience_ = std::chrono::microseconds(*patience);
  return made;
}

void Supervisor::ready(std::string_view status) const noexcept {
  tell("READY=1\nSTATUS=" + std::string(status));
}

void Supervisor::reloading() const noexcept {
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()) + "\nSTATUS=reloading");
}

void Supervisor::stopping(std::string_view status) const noexcept {
  tell("STOPPING=1\nSTATUS=" + std::string(status));
}

void Supervisor::alive() const noexcept {
  tell("WATCHDOG=1");
}

// Never waits: a supervisor that does not read must not hold up the server.
void Supervisor::tell(const std::string& state) const noexcept {
  if (socket_) (void)::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace tftpkit::serve
