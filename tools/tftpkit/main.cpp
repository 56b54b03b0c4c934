// The tftpkit binary: parses the command line and hands over to one command.
#include "command.hpp"
#include "conformance/kit.hpp"
#include "host/scan.hpp"
#include "isolation/options.hpp"
#include "serve/guest.hpp"

#include <cstdio>
#include <cstring>
#include <exception>
#include <unistd.h>

namespace {

// "caused by" lines of nested exceptions, outermost first.
void print_causes(const std::exception& error) {
  std::fprintf(stderr, "tftpkit: %s\n", error.what());
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& cause) {
    print_causes(cause);
  } catch (...) {
  }
}

int run(int argc, char** argv) {
  CLI::App app{"A TFTP server whose content comes from plugins.", "tftpkit"};
  app.set_version_flag("--version", std::string{"tftpkit "} + tftpkit::cli::version());
  app.require_subcommand(1);
  app.footer("Examples:\n"
             "  tftpkit serve /srv/tftp                     serve a directory on port 69\n"
             "  tftpkit serve --plugin ./hello.so --listen 127.0.0.1:6969\n"
             "  tftpkit get tftp://192.0.2.1/pxelinux.0     fetch a file\n"
             "  tftpkit plugins list                        which plugins are there\n\n"
             "Exit status: 0 success, 1 it did not work, 2 wrong usage.  Manual: tftpkit(1)");
  tftpkit::cli::Action action;
  tftpkit::cli::add_serve(app, action);
  tftpkit::cli::add_get(app, action);
  tftpkit::cli::add_check(app, action);
  tftpkit::cli::add_explain(app, action);
  tftpkit::cli::add_reload(app, action);
  tftpkit::cli::add_plugins(app, action);
  tftpkit::cli::add_firmware(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return tftpkit::cli::wrong_usage(app, error);
    return app.exit(error);  // --help, --version
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], tftpkit::host::describe_argument) == 0)
    tftpkit::host::describe_child(argv[2]);
  if (argc == 2 && std::strcmp(argv[1], tftpkit::isolation::isolated_argument) == 0)
    tftpkit::serve::guest_process();
  if (argc > 1 && std::strcmp(argv[1], tftpkit::conformance::conformance_argument) == 0)
    tftpkit::conformance::conformance_child(argc, argv);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    print_causes(error);
    return tftpkit::cli::exit_failed;
  }
}
