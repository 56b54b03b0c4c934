#include "serve/control_socket.hpp"

#include "serve/commands.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <utility>

namespace tftpkit::serve {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_clients = 16;
constexpr std::chrono::milliseconds pause_without_descriptors{100};

std::string errno_text() {
  return std::strerror(errno);
}

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    throw ControlError(path.string() +
                       ": the path of a socket may have at most 107 bytes; choose a shorter one");
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

bool connected(int fd, const sockaddr_un& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

loop::Fd new_socket(int flags) {
  loop::Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
  if (!fd) throw ControlError("no socket for commands: " + errno_text());
  return fd;
}

// What a server that crashed has left. A file that is no socket is somebody's, and stays.
void remove_left_over(const fs::path& path, const sockaddr_un& address) {
  struct stat seen {};
  if (::lstat(path.c_str(), &seen) != 0) return;
  if (!S_ISSOCK(seen.st_mode))
    throw ControlError(path.string() + " is in the way: it is no socket; choose another path with --control");
  if (connected(new_socket(0).get(), address) || errno != ECONNREFUSED)
    throw ControlError(path.string() + " belongs to a server that runs; choose another path with --control");
  ::unlink(path.c_str());
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  if (directory.empty() || fs::is_directory(directory, error)) return;
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
    throw ControlError("cannot make the directory " + directory.string() + ": " + errno_text());
}

}  // namespace

struct ControlSocket::Client {
  loop::Fd fd;
  CommandLine line;
  std::string answer;
  loop::FdWatch watch;  // gone before the descriptor
};

ControlSocket::ControlSocket(fs::path path) : path_{std::move(path)} {
  const sockaddr_un address = address_of(path_);
  make_directory(path_.parent_path());
  remove_left_over(path_, address);
  listening_ = new_socket(SOCK_NONBLOCK);
  ::fchmod(listening_.get(), 0600);  // before bind: the file is never open to others, not for a moment
  if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening_.get(), most_clients) != 0)
    throw ControlError("cannot take commands at " + path_.string() + ": " + errno_text());
}

ControlSocket::~ControlSocket() {
  if (deadlines_ != nullptr) deadlines_->cancel(pause_);
  clients_.clear();
  acceptable_.close();
  if (listening_) ::unlink(path_.c_str());
}

void ControlSocket::serve(loop::Loop& loop, loop::Deadlines& deadlines, OnCommand on_command) {
  loop_ = &loop;
  deadlines_ = &deadlines;
  on_command_ = std::move(on_command);
  acceptable_ =
      loop::FdWatch{loop, listening_.get(), loop::FdWatch::Want::read, [this](loop::Ready) { accept(); }};
}

void ControlSocket::accept() {
  loop::Fd fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!fd) return accept_later();
  if (clients_.size() >= most_clients) return;
  auto client = std::make_shared<Client>();
  client->fd = std::move(fd);
  try {
    client->watch = loop::FdWatch{*loop_, client->fd.get(), loop::FdWatch::Want::read,
                                  [this, raw = std::weak_ptr{client}](loop::Ready) {
                                    if (const auto same = raw.lock()) on_ready(same);
                                  }};
  } catch (const std::system_error&) {
    return;  // the client sees its connection closed
  }
  clients_.insert(std::move(client));
}

// Who asks stays in the queue, and the socket readable: without descriptors or memory the loop would turn for
// nothing.
void ControlSocket::accept_later() {
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
  acceptable_.want(loop::FdWatch::Want::nothing);
  deadlines_->set_after(pause_, pause_without_descriptors);
}

void ControlSocket::accept_again() {
  acceptable_.want(loop::FdWatch::Want::read);
}

void ControlSocket::on_ready(const std::shared_ptr<Client>& client) {
  if (client->watch.wanted() == loop::FdWatch::Want::write) {
    send(*client);
    return;
  }
  std::array<char, 1024> piece{};
  const ssize_t got = ::recv(client->fd.get(), piece.data(), piece.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(client);
  if (client->line.state() == CommandLine::State::whole) return;  // one command each
  switch (client->line.take({piece.data(), static_cast<std::size_t>(got)})) {
  case CommandLine::State::open: return;
  case CommandLine::State::too_long: return drop(client);
  case CommandLine::State::whole: break;
  }
  on_command_(client->line.text(), [this, weak = std::weak_ptr{client}](std::string text) {
    const auto asked = weak.lock();
    if (!asked) return;
    asked->answer = std::move(text);
    send(*asked);
  });
}

// Ends with the client's own closing, which on_ready() sees.
void ControlSocket::send(Client& client) {
  while (!client.answer.empty()) {
    const ssize_t sent =
        ::send(client.fd.get(), client.answer.data(), client.answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return client.watch.want(loop::FdWatch::Want::write);
    if (sent < 0) break;
    client.answer.erase(0, static_cast<std::size_t>(sent));
  }
  ::shutdown(client.fd.get(), SHUT_WR);
  client.watch.want(loop::FdWatch::Want::read);
}

void ControlSocket::drop(const std::shared_ptr<Client>& client) {
  client->watch.close();
  clients_.erase(client);
}

std::string ask_server(const fs::path& path, const std::string& command) {
  const sockaddr_un address = address_of(path);
  const loop::Fd fd = new_socket(0);
  if (!connected(fd.get(), address)) {
    const std::string why =
        errno == ENOENT || errno == ECONNREFUSED ? "no server takes commands there" : errno_text();
    throw ControlError(path.string() + ": " + why +
                       "; name the server's socket with --control (\"control\" in its configuration)");
  }
  const std::string line = command + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    throw ControlError(path.string() + ": " + errno_text());
  std::string answer;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ControlError(path.string() + ": " + errno_text());
    if (got == 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  if (answer.empty()) throw ControlError(path.string() + ": the server went away without an answer");
  return answer;
}

}  // namespace tftpkit::serve
