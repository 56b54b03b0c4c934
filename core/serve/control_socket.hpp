// ControlSocket: the server's end of `tftpkit reload` and `tftpkit plugins list --control`: a unix socket for
// its owner alone. A client sends one line and reads until the end (commands.hpp says what is said). Knows no
// command: whoever owns it answers.
#pragma once

#include "loop/deadlines.hpp"
#include "loop/fd.hpp"
#include "loop/loop.hpp"
#include "loop/poller.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_set>

namespace tftpkit::serve {

// No socket at that path, and why.
class ControlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ControlSocket {
 public:
  // What a client asked; may be answered later, on the loop's thread.
  using Answer = std::function<void(std::string text)>;
  using OnCommand = std::function<void(const std::string& command, Answer answer)>;

  // Binds and listens. A socket that nobody listens on any more is replaced. Throws ControlError.
  explicit ControlSocket(std::filesystem::path path);
  ~ControlSocket();  // removes the socket file
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  void serve(loop::Loop& loop, loop::Deadlines& deadlines, OnCommand on_command);
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  struct Client;
  void accept();
  void accept_later();
  void accept_again();
  void on_ready(const std::shared_ptr<Client>& client);
  void send(Client& client);
  void drop(const std::shared_ptr<Client>& client);

  std::filesystem::path path_;
  loop::Fd listening_;
  loop::Loop* loop_ = nullptr;
  OnCommand on_command_;
  loop::FdWatch acceptable_;
  loop::Deadlines* deadlines_ = nullptr;
  loop::Deadline pause_ = loop::Deadline::calls<&ControlSocket::accept_again>(this);
  std::unordered_set<std::shared_ptr<Client>> clients_;
};

// A client's side: sends the command, returns all that comes back. Throws ControlError: nobody there, no
// right to ask, broken off.
[[nodiscard]] std::string ask_server(const std::filesystem::path& path, const std::string& command);

}  // namespace tftpkit::serve
