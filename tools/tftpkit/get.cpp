// tftpkit get: fetches one file from a TFTP server.
#include "command.hpp"
#include "download.hpp"
#include "output_file.hpp"
#include "progress.hpp"
#include "tftp_url.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <netdb.h>
#include <optional>
#include <sys/socket.h>

namespace tftpkit::cli {

namespace {

struct GetArguments {
  std::string url;
  std::string output;
  std::optional<unsigned> blksize;
  std::optional<unsigned> windowsize;
  std::optional<unsigned> timeout_s;
  bool plain = false;
};

// What fits an Ethernet frame even through a tunnel, and windows that a socket's buffer holds anywhere.
constexpr unsigned usual_blksize = 1428;
constexpr unsigned usual_windowsize = 16;

wire::Request request_for(const TftpUrl& url, const GetArguments& arguments) {
  wire::Request request;
  request.filename = url.path;
  request.mode = url.mode;
  if (arguments.plain) return request;
  const auto ask = [&](const char* name, unsigned value) {
    request.options.push_back({name, std::to_string(value)});
  };
  ask("tsize", 0);
  ask("blksize", arguments.blksize.value_or(usual_blksize));
  ask("windowsize", arguments.windowsize.value_or(usual_windowsize));
  if (arguments.timeout_s) ask("timeout", *arguments.timeout_s);
  return request;
}

loop::Address resolve(const TftpUrl& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (error != 0) throw Failure(url.host + ": " + ::gai_strerror(error));
  const auto address = loop::Address::from_sockaddr(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

std::string default_output(const TftpUrl& url) {
  std::string name = url.path.substr(url.path.find_last_of("/\\") + 1);
  if (name.empty() || name == "." || name == "..")
    throw Failure("the path does not end in a file name: choose one with -o FILE");
  return name;
}

void report(const Download& download, double seconds) {
  std::fprintf(stderr, "%ju bytes in %.2f s, blksize %u, windowsize %u\n",
               static_cast<std::uintmax_t>(download.bytes()), seconds, unsigned{download.terms().blksize},
               unsigned{download.terms().windowsize});
}

int get(const GetArguments& arguments) {
  const TftpUrl url = TftpUrl::parse(arguments.url);
  OutputFile output{arguments.output.empty() ? default_output(url) : arguments.output};
  Download download{resolve(url), request_for(url, arguments)};
  const auto began = std::chrono::steady_clock::now();
  {
    Progress progress;
    download.run([&](std::span<const std::byte> bytes) {
      output.write(bytes);
      progress.show(download.bytes(), download.size());
    });
  }
  output.finish();
  if (output.is_file())
    report(download, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  return exit_ok;
}

}  // namespace

void add_get(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("get", "Fetch a file from a TFTP server");
  auto arguments = std::make_shared<GetArguments>();
  command->add_option("URL", arguments->url, "What to fetch")
      ->type_name("tftp://HOST[:PORT]/PATH")
      ->required();
  command->add_option("-o", arguments->output, "Write to this file, - is standard output (default: the name)")
      ->type_name("FILE");
  command->add_option("--blksize", arguments->blksize, "Bytes in a block (default 1428)")
      ->type_name("N")
      ->check(CLI::Range(8, 65464));
  command->add_option("--windowsize", arguments->windowsize, "Blocks for one acknowledgement (default 16)")
      ->type_name("N")
      ->check(CLI::Range(1, 65535));
  command->add_option("--timeout", arguments->timeout_s, "Seconds after which the server sends again")
      ->type_name("N")
      ->check(CLI::Range(1, 255));
  command->add_flag("--plain", arguments->plain, "Ask without any option, as the oldest clients do");
  command->footer("Examples:\n  tftpkit get tftp://192.0.2.1/pxelinux.0\n"
                  "  tftpkit get tftp://[::1]:6969/menu.cfg -o -\n"
                  "  tftpkit get 'tftp://192.0.2.1/readme.txt;mode=netascii' --plain");
  command->callback([arguments, &action] { action = [arguments] { return get(*arguments); }; });
}

}  // namespace tftpkit::cli
