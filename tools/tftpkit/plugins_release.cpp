// tftpkit plugins release NAME: a plugin that crashed the server is given another chance.
#include "host/crashes.hpp"
#include "plugins.hpp"
#include "serve/places.hpp"

#include <cstdio>
#include <memory>

namespace tftpkit::cli {

namespace {

struct ReleaseArguments {
  std::string name;
  std::string state_dir;
};

int release(const ReleaseArguments& arguments) {
  const std::filesystem::path directory =
      arguments.state_dir.empty() ? serve::default_state_dir() : std::filesystem::path{arguments.state_dir};
  const std::size_t forgotten = host::forget_crashes(directory, arguments.name);
  if (forgotten == 0)
    throw Failure("no crash of a plugin \"" + arguments.name + "\" is noted in " + directory.string() +
                  "; \"state_dir\" of the configuration may name another directory (--state-dir)");
  std::printf("%s: %zu crash%s forgotten; it is used again after the server's next start or tftpkit reload\n",
              arguments.name.c_str(), forgotten, forgotten == 1 ? "" : "es");
  return exit_ok;
}

}  // namespace

void add_plugins_release(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("release", "Use a quarantined plugin again");
  auto arguments = std::make_shared<ReleaseArguments>();
  command->add_option("NAME", arguments->name, "The plugin's name")->required();
  command
      ->add_option("--state-dir", arguments->state_dir,
                   "The server's \"state_dir\" (default: the usual place)")
      ->type_name("DIR");
  command->footer("Example:\n  tftpkit plugins release hello");
  command->callback([arguments, &action] { action = [arguments] { return release(*arguments); }; });
}

}  // namespace tftpkit::cli
