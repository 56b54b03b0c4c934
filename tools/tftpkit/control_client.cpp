#include "control_client.hpp"

#include "command.hpp"
#include "observe/escape.hpp"
#include "serve/control_socket.hpp"
#include "serve/places.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace tftpkit::cli {

namespace {

std::string shown(const config::JsonValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>)
          return "";
        else if constexpr (std::is_same_v<Held, bool>)
          return held ? "yes" : "no";
        else if constexpr (std::is_same_v<Held, std::string>)
          return observe::escaped(held);
        else if constexpr (std::is_same_v<Held, config::RawJson>)
          return observe::escaped(held.text);
        else
          return std::to_string(held);
      },
      value);
}

}  // namespace

serve::CommandAnswer ask_server(const std::string& socket, serve::Command command) {
  const std::filesystem::path path =
      socket.empty() ? serve::default_control() : std::filesystem::path{socket};
  if (path.empty())
    throw Failure("name the server's socket with --control: there is no usual place for it here");
  std::string text;
  try {
    text = serve::ask_server(path, std::string(serve::word(command)));
  } catch (const serve::ControlError& error) {
    throw Failure(error.what());
  }
  auto answer = serve::answer_from(text);
  if (!answer) throw Failure(path.string() + ": the answer is not from a server of this version");
  return std::move(*answer);
}

std::string member_text(const config::JsonRow& row, const std::string& key) {
  for (const auto& [name, value] : row)
    if (name == key) return shown(value);
  return "-";
}

}  // namespace tftpkit::cli
