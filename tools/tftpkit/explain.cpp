// tftpkit explain: why a client gets what it gets: the whole decision step by step, without a network.
#include "command.hpp"
#include "config/json_text.hpp"
#include "host/instance.hpp"
#include "loop/executor.hpp"
#include "loop/loop.hpp"
#include "observe/escape.hpp"
#include "observe/log.hpp"
#include "serve/rehearsal.hpp"
#include "sources.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <unistd.h>

namespace tftpkit::cli {

namespace {

struct ExplainArguments {
  Sources sources;
  std::string peer = "127.0.0.1";
  std::string mac;
  std::string path;
  std::vector<std::string> options;
  bool netascii = false;
  bool json = false;
};

using Mac = std::array<std::uint8_t, 6>;

// "52:54:00:12:34:56", or with '-'.
Mac parsed_mac(const std::string& text) {
  Mac mac{};
  bool right = text.size() == 17;
  for (std::size_t i = 0; right && i < mac.size(); ++i) {
    const char* begin = text.data() + 3 * i;
    const auto parsed = std::from_chars(begin, begin + 2, mac[i], 16);
    right =
        parsed.ec == std::errc{} && parsed.ptr == begin + 2 && (i == 5 || begin[2] == ':' || begin[2] == '-');
  }
  if (!right) throw Failure("--mac: \"" + text + "\" is no MAC address; write for example 52:54:00:12:34:56");
  return mac;
}

wire::Option parsed_option(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Failure("--option: \"" + text + "\" has no name and value; write for example blksize=1428");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

loop::Address parsed_peer(const std::string& text) {
  constexpr std::uint16_t any_client_port = 2070;
  std::string error;
  const auto peer = loop::Address::parse(text, any_client_port, error);
  if (!peer) throw Failure("--peer: " + error);
  return *peer;
}

serve::Asked asked_for(const ExplainArguments& arguments) {
  constexpr std::uint16_t tftp_port = 69;
  std::string ignored;
  serve::Asked asked;
  asked.id = 1;
  asked.request.filename = arguments.path;
  asked.request.mode = arguments.netascii ? wire::Mode::netascii : wire::Mode::octet;
  for (const auto& text : arguments.options)
    asked.request.options.push_back(parsed_option(text));
  asked.peer = parsed_peer(arguments.peer);
  asked.local = *loop::Address::parse(asked.peer.is_v4() ? "127.0.0.1" : "::1", tftp_port, ignored);
  return asked;
}

// Everything that serves, but for the network.
class House {
 public:
  explicit House(const ExplainArguments& arguments) {
    auto loaded = configured(arguments.sources);
    if (!loaded) throw Failure(config::text(loaded.problems()));
    loaded->log = {};
    loaded->log.level = observe::Level::warning;
    log_.emplace(loaded->log);
    executor_.emplace(loaded->executor_threads);
    serve::SetupTools tools{
        *log_, *executor_,  [](const std::function<void()>& end) { end(); }, version(), builtin_plugin_dir(),
        {},    generations_};
    if (!arguments.mac.empty())
      tools.neighbour = [mac = parsed_mac(arguments.mac)](const tftpkit_addr&, std::uint8_t into[6]) {
        std::ranges::copy(mac, into);
        return true;
      };
    auto built = serve::build_setup({*loaded, extra_instances(arguments.sources)}, nullptr, tools);
    if (!built) throw Failure(config::text(built.problems()));
    setup_ = std::move(*built);
  }

  serve::Rehearsed rehearse(serve::Asked asked) {
    const auto disk = executor_->lane("disk", 1);
    return serve::rehearse(loop_, disk, *setup_, std::move(asked));
  }

  // False: a plugin call does not return, and only the end of the process ends it.
  bool close() {
    if (!executor_->shutdown(std::chrono::seconds(5)).joined) return false;
    setup_.reset();
    host::Instance::reap();
    return true;
  }

 private:
  loop::Loop loop_;  // calls that time out may still post to it
  std::optional<observe::Log> log_;
  std::optional<loop::Executor> executor_;
  std::map<std::string, unsigned> generations_;
  std::shared_ptr<const serve::Setup> setup_;
};

void print_text(const serve::Rehearsed& result) {
  for (const auto& step : result.steps) {
    std::string line{step.what};
    line.resize(std::max<std::size_t>(line.size(), 9), ' ');
    for (const std::string* part : {&step.subject, &step.outcome})
      if (!part->empty())
        line += (part == &step.outcome && !step.subject.empty() ? ": " : "") + observe::escaped(*part);
    if (!step.why.empty()) line += " (" + observe::escaped(step.why) + ")";
    std::puts(line.c_str());
  }
  if (result.found)
    std::printf("bytes    %ju from %s\nsha256   %s\n", static_cast<std::uintmax_t>(result.bytes),
                result.instance.c_str(), result.sha256.c_str());
  else if (result.silent)
    std::puts("answer   none: this client may not ask, and hears nothing");
  else
    std::printf("answer   ERROR %u %s\n", static_cast<unsigned>(result.reject.code),
                observe::escaped(result.reject.text).c_str());
}

std::string steps_json(const std::vector<serve::Step>& steps) {
  std::vector<config::JsonRow> rows;
  rows.reserve(steps.size());
  for (const auto& step : steps)
    rows.push_back({{"step", std::string{step.what}},
                    {"subject", step.subject},
                    {"outcome", step.outcome},
                    {"why", step.why}});
  return config::json_array(rows);
}

std::string oack_json(const std::vector<wire::Option>& oack) {
  std::vector<config::JsonRow> rows;
  rows.reserve(oack.size());
  for (const auto& option : oack)
    rows.push_back({{"name", option.name}, {"value", option.value}});
  return config::json_array(rows);
}

void print_json(const serve::Rehearsed& result) {
  config::JsonRow row{{"found", result.found}, {"steps", config::RawJson{steps_json(result.steps)}}};
  if (result.found) {
    row.emplace_back("instance", result.instance);
    row.emplace_back("mode", std::string{wire::words(result.terms.mode)});
    row.emplace_back("blksize", std::uint64_t{result.terms.blksize});
    row.emplace_back("windowsize", std::uint64_t{result.terms.windowsize});
    row.emplace_back("oack", config::RawJson{oack_json(result.oack)});
    if (result.size) row.emplace_back("size", *result.size);
    row.emplace_back("bytes", result.bytes);
    row.emplace_back("sha256", result.sha256);
  } else if (result.silent) {
    row.emplace_back("answered", false);
    row.emplace_back("why", result.why);
  } else {
    row.emplace_back("error", std::uint64_t{static_cast<unsigned>(result.reject.code)});
    row.emplace_back("text", result.reject.text);
    row.emplace_back("why", result.why);
  }
  std::puts(config::json_object(row, 2).c_str());
}

int explain(const ExplainArguments& arguments) {
  serve::Asked asked = asked_for(arguments);
  std::signal(SIGPIPE, SIG_IGN);  // as the server does; plugins may rely on it
  House house{arguments};
  const serve::Rehearsed result = house.rehearse(std::move(asked));
  arguments.json ? print_json(result) : print_text(result);
  std::fflush(stdout);
  const int status = result.found ? exit_ok : exit_failed;
  if (!house.close()) ::_exit(status);
  return status;
}

}  // namespace

void add_explain(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("explain", "Why a client gets what it gets, step by step");
  auto arguments = std::make_shared<ExplainArguments>();
  command->add_option("PATH", arguments->path, "The name as a client sends it")->required();
  command->add_option("DIR", arguments->sources.directory, "As if serving the files below this directory");
  add_source_options(*command, arguments->sources);
  command->add_option("--peer", arguments->peer, "The client's address (default: 127.0.0.1)")
      ->type_name("IP");
  command->add_option("--mac", arguments->mac, "Its MAC address, as if it were on the link")
      ->type_name("MAC");
  command
      ->add_option("--option", arguments->options,
                   "An option of its request, such as blksize=1428; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_flag("--netascii", arguments->netascii, "Asked for in the mode netascii");
  command->add_flag("--json", arguments->json, "For machines");
  command->footer("Examples:\n"
                  "  tftpkit explain --config /etc/tftpkit.json --peer 10.0.0.7 pxelinux.cfg/default\n"
                  "  tftpkit explain hello.txt /srv/tftp --option tsize=0 --option blksize=1428");
  command->callback([arguments, &action] { action = [arguments] { return explain(*arguments); }; });
}

}  // namespace tftpkit::cli
