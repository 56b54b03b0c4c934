// tftpkit serve: from options and configuration to a running server.
#include "child_command.hpp"
#include "command.hpp"
#include "loop/address.hpp"
#include "loop/claim.hpp"
#include "loop/handed_over.hpp"
#include "observe/log.hpp"
#include "serve/jail.hpp"
#include "serve/server.hpp"
#include "serve/supervisor.hpp"
#include "sources.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace tftpkit::cli {

namespace {

namespace fs = std::filesystem;

struct ServeArguments {
  Sources sources;
  std::vector<std::string> listen;
  std::optional<unsigned> workers;
  std::string command;
  std::string control;
  std::string log_level;
  std::string log_format;
};

std::string given_control(const std::string& text) {
  return text == "off" || text == "auto" ? text : fs::absolute(text).string();
}

config::Checked<config::Config> configured(const ServeArguments& arguments) {
  auto loaded = configured(arguments.sources);
  if (!loaded) return loaded;
  if (!arguments.listen.empty()) loaded->listen = arguments.listen;
  if (arguments.workers) loaded->workers = *arguments.workers;
  if (!loaded->watch) loaded->watch = !arguments.sources.plugin_dirs.empty();
  if (!arguments.control.empty()) loaded->control = given_control(arguments.control);
  // Nobody sends commands to a server that lives as long as one command.
  if (!arguments.command.empty() && loaded->control == "auto") loaded->control = "off";
  if (const auto level = observe::level_named(arguments.log_level)) loaded->log.level = *level;
  if (arguments.log_format == "json") loaded->log.format = observe::LogOptions::Format::json;
  if (arguments.log_format == "text") loaded->log.format = observe::LogOptions::Format::text;
  return loaded;
}

// Where a command on this machine reaches a server that listens there.
std::string reachable(const loop::Address& address) {
  std::string error;
  if (!address.is_unspecified()) return address.to_string();
  const auto loopback = loop::Address::parse(address.is_v4() ? "127.0.0.1" : "::1", address.port(), error);
  return loopback ? loopback->to_string() : address.to_string();
}

std::string port_advice(const loop::ClaimError& error) {
  if (error.error() != EACCES && error.error() != EPERM) return error.what();
  return std::string{error.what()} +
         "\n  ports below 1024 need a privilege; one of these helps:"
         "\n  - another port: --listen 127.0.0.1:6969"
         "\n  - the capability, once: setcap cap_net_bind_service=+ep " +
         fs::read_symlink("/proc/self/exe").string() +
         "\n  - a service unit with AmbientCapabilities=CAP_NET_BIND_SERVICE"
         "\n  - a start as root with \"user\" in the configuration";
}

void announce(const std::vector<loop::Address>& addresses, ChildCommand* child) {
  for (const auto& address : addresses)
    std::printf("listening on %s\n", address.to_string().c_str());
  std::fflush(stdout);
  if (child != nullptr) child->start(reachable(addresses.front()));
}

config::Config checked(config::Checked<config::Config> loaded) {
  if (!loaded) throw Failure(config::text(loaded.problems()));
  return std::move(*loaded);
}

// Inside, files have other names: those of the command line are translated, and what the configuration names
// is looked up inside, at every reload as now.
void enter_jail(const fs::path& jail, Sources& sources) {
  sources.config = serve::seen_from(jail, sources.config, "the configuration");
  for (auto& file : sources.plugins)
    file = serve::seen_from(jail, file, "the plugin");
  for (auto& directory : sources.plugin_dirs)
    directory = serve::seen_from(jail, directory, "the plugin directory");
  serve::enter_jail(jail);
}

int serve(ServeArguments arguments) {
  serve::ServerOptions options;
  // Before anything else opens descriptors, starts threads or leaves the file system.
  options.sockets = loop::take_handed_over();
  options.supervisor = serve::Supervisor::from_environment();
  auto loaded = checked(configured(arguments));
  if (!loaded.chroot.empty()) {
    enter_jail(loaded.chroot, arguments.sources);
    loaded = checked(configured(arguments));
  }
  options.extra_instances = extra_instances(arguments.sources);
  // Before the log starts its thread and before plugins are loaded: nothing may be forked after that.
  std::unique_ptr<ChildCommand> child;
  if (!arguments.command.empty()) child = std::make_unique<ChildCommand>(arguments.command);
  observe::Log log{loaded.log};
  options.config = std::move(loaded);
  options.reload = [&arguments] { return configured(arguments); };
  options.builtin_plugin_dir = builtin_plugin_dir();
  options.version = version();
  options.on_ready = [&](const std::vector<loop::Address>& addresses) { announce(addresses, child.get()); };
  options.on_child = [&] { return child && child->ended().has_value(); };
  serve::Server server{log, std::move(options)};
  try {
    server.run();
  } catch (const loop::ClaimError& error) {
    throw Failure(port_advice(error));
  }
  return child ? child->ended().value_or(exit_ok) : exit_ok;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("serve", "Serve files by TFTP until told to stop");
  auto arguments = std::make_shared<ServeArguments>();
  command->add_option("DIR", arguments->sources.directory, "Serve the files below this directory");
  add_source_options(*command, arguments->sources);
  command
      ->add_option("--listen", arguments->listen,
                   "Answer here; port 0 takes a free one; repeatable "
                   "(default: port 69 on all addresses)")
      ->type_name("ADDR:PORT")
      ->allow_extra_args(false);
  command->add_option("--workers", arguments->workers, "Network threads (default: the cores, at most 8)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  command
      ->add_option("--run", arguments->command,
                   "Serve while this shell command runs (TFTP_ADDR in its environment), exit with its status")
      ->type_name("CMD");
  command->add_option("--control", arguments->control, "Take commands at this socket, or: off")
      ->type_name("PATH");
  command->add_option("--log-level", arguments->log_level, "Lines below this are not written")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command->add_option("--log-format", arguments->log_format, "For people or for machines")
      ->check(CLI::IsMember({"text", "json"}));
  command->footer(
      "Examples:\n"
      "  tftpkit serve /srv/tftp --listen 127.0.0.1:6969\n"
      "  tftpkit serve --config /etc/tftpkit.json\n"
      "  tftpkit serve . --listen 127.0.0.1:0 --run 'curl -s tftp://$TFTP_ADDR/hello.txt'\n\n"
      "Signals: TERM and INT drain and stop, HUP reloads (as tftpkit reload does), USR1 logs the counters.");
  command->callback([arguments, &action] { action = [arguments] { return serve(*arguments); }; });
}

}  // namespace tftpkit::cli
