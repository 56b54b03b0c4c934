// load: many TFTP clients in one process, every byte checked. Prints one JSON object; exit status 1 when a
// server did something wrong or transfers that were asked for by number did not come to an end.
#include "crowd.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string_view>
#include <sys/resource.h>

namespace load {

Options read_options(int argc, char** argv) {
  Options options;
  CLI::App app{"Many TFTP clients in one process; every byte is checked"};
  app.add_option("--server", options.server, "IPv4 address");
  app.add_option("--port", options.port)->required();
  app.add_option("--from", options.from, "Local address; every 20,000 clients take the next one");
  app.add_option("--name", options.name, "File to ask for; % becomes a number")->required();
  app.add_option("--content", options.content, "File with the bytes that must come; none: ERROR 1 must come");
  app.add_option("--clients", options.clients)->check(CLI::Range(1, 60000));
  app.add_option("--seconds", options.seconds, "Ends then");
  app.add_option("--transfers", options.transfers, "So many in all; 0: as many as fit");
  app.add_option("--blksize", options.blksize)->check(CLI::Range(8, 65464));
  app.add_option("--windowsize", options.windowsize)->check(CLI::Range(1, 65535));
  app.add_option("--rtt-ms", options.rtt_ms, "Artificial round trip");
  app.add_option("--loss", options.loss, "Share of packets lost, each way")->check(CLI::Range(0.0, 0.9));
  app.add_option("--seed", options.seed, "Of the losses");
  app.add_option("--patience", options.patience, "Seconds without news before a client asks again");
  app.add_flag("--copies", options.copies, "Acknowledge the newest block again when it comes again");
  app.add_flag("--hold", options.hold,
               "Say \"held\" when all have their first answer, go on at the end of stdin");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

namespace {

void raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  const rlimit raised{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};  // beyond the hard one as root only
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

double share(std::vector<double>& sorted, double at) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(at * static_cast<double>(sorted.size() - 1))];
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + "\"";
}

void print(Result& result) {
  std::sort(result.milliseconds.begin(), result.milliseconds.end());
  fmt::print("{{\"transfers\": {}, \"blocks\": {}, \"bytes\": {}, \"repeated\": {}, \"seconds\": {:.6f}, "
             "\"ms_median\": {:.4f}, \"ms_99\": {:.4f}, \"ms_most\": {:.4f}, \"complete\": {}, "
             "\"complaint\": {}}}\n",
             result.transfers, result.blocks, result.bytes, result.repeated, result.seconds,
             share(result.milliseconds, 0.5), share(result.milliseconds, 0.99), share(result.milliseconds, 1),
             result.complete, json_text(result.complaint));
}

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  raise_descriptor_limit(std::size_t{options.clients} * (options.clients > 2000 ? 1 : 4) + 64);
  const Content content{options.content};
  Crowd crowd{options, content};
  Result result = crowd.run();
  print(result);
  if (!result.complaint.empty()) return 1;
  return options.transfers != 0 && !result.complete ? 1 : 0;
}

}  // namespace

}  // namespace load

int main(int argc, char** argv) {
  try {
    return load::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return 2;
  }
}
