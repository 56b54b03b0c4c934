// tftpkit check FILE: every mistake of a configuration at once, without loading or binding anything.
#include "command.hpp"
#include "config/load.hpp"

#include <cstdio>
#include <memory>

namespace tftpkit::cli {

namespace {

int check(const std::string& file) {
  const auto loaded = config::load_file(file);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", config::text(loaded.problems()).c_str());
    return exit_failed;
  }
  std::printf("%s: no mistakes found\n", file.c_str());
  return exit_ok;
}

}  // namespace

void add_check(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("check", "Find every mistake in a configuration file");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The configuration")->required();
  command->footer("Example:\n  tftpkit check /etc/tftpkit.json");
  command->callback([file, &action] { action = [file] { return check(*file); }; });
}

}  // namespace tftpkit::cli
