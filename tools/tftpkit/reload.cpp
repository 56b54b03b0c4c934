// tftpkit reload: a running server reads its configuration and its plugins again, and says what is wrong.
#include "command.hpp"
#include "control_client.hpp"

#include <cstdio>
#include <memory>

namespace tftpkit::cli {

namespace {

int reload(const std::string& socket) {
  const auto answer = ask_server(socket, serve::Command::reload);
  for (const auto& row : answer.rows)
    std::fprintf(stderr, "%s\n", member_text(row, "problem").c_str());
  if (answer.ok) std::puts("reloaded");
  return answer.ok ? exit_ok : exit_failed;
}

}  // namespace

void add_reload(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("reload", "Let a running server read its configuration and plugins again");
  auto socket = std::make_shared<std::string>();
  command->add_option("--control", *socket, "The server's socket (default: where it is by default)")
      ->type_name("PATH");
  command->footer("Exit status 0 when all is in service as configured, 1 with every problem otherwise.\n"
                  "Example:\n  tftpkit reload --control /run/tftpkit/control");
  command->callback([socket, &action] { action = [socket] { return reload(*socket); }; });
}

}  // namespace tftpkit::cli
