// tftpkit plugins fetch: asks a plugin for one path as the server would, without a network.
#include "config/json_text.hpp"
#include "config/settings.hpp"
#include "host/call.hpp"
#include "host/scan.hpp"
#include "observe/escape.hpp"
#include "observe/log.hpp"
#include "output_file.hpp"
#include "plugins.hpp"
#include "wire/path.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <memory>
#include <unistd.h>
#include <utility>
#include <variant>

namespace tftpkit::cli {

namespace {

constexpr std::chrono::seconds patience{30};  // with a plugin that answers PENDING

struct FetchArguments {
  std::string file;
  std::string path;
  std::string settings = "{}";
  std::string output;
};

host::Settings settings_for(const host::Finding& finding, const std::string& text) {
  auto object = config::settings_object(text);
  if (!object) throw Failure("--set: " + config::text(object.problems()));
  const config::Origin origin{"--set", "", std::filesystem::current_path()};
  auto settings =
      config::check_settings(*object, finding.description->settings_schema, origin, finding.name());
  if (!settings) throw Failure(config::text(settings.problems()));
  return std::move(*settings);
}

std::shared_ptr<host::Instance> instance_of(const FetchArguments& arguments, observe::Log& log) {
  const host::Finding finding = host::examine(arguments.file);
  if (finding.state != host::State::ok)
    throw Failure(arguments.file + " is " + std::string{host::text(finding.state)} + ": " +
                  observe::escaped(finding.reason));
  return host::Instance::create(host::Library::load(arguments.file), finding.name(),
                                settings_for(finding, arguments.settings), {log, {}, version()});
}

host::OpenRequest request_for(const std::string& name) {
  auto path = wire::clean_path(name);
  if (const auto* reject = std::get_if<wire::Reject>(&path))
    throw Failure("no server would pass on this path: " + reject->text);
  host::OpenRequest request;
  request.id = 1;
  request.wire_path = name;
  request.path = std::get<std::string>(std::move(path));
  request.answer_within = patience;
  return request;
}

// Hands all bytes of the source to the output; how many.
class Pour {
 public:
  Pour(host::Call& call, OutputFile& output) : call_{call}, output_{output} {}

  std::uint64_t all_of(host::Source& source) {
    switch (source.kind) {
    case host::Kind::buffer: put(source.data); break;
    case host::Kind::fd: descriptor(source); break;
    case host::Kind::stream: stream(); break;
    case host::Kind::redirect: break;
    }
    if (source.size && *source.size != bytes_)
      throw Failure("the plugin announced " + std::to_string(*source.size) + " bytes and gave " +
                    std::to_string(bytes_));
    return bytes_;
  }

 private:
  void put(std::span<const std::byte> piece) {
    output_.write(piece);
    bytes_ += piece.size();
  }

  void descriptor(host::Source& source) {
    for (;;) {
      std::size_t most = buffer_.size();
      if (source.size) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, *source.size - bytes_));
      const ssize_t got = source.regular ? ::pread(source.fd.get(), buffer_.data(), most,
                                                   static_cast<off_t>(source.fd_offset + bytes_))
                                         : ::read(source.fd.get(), buffer_.data(), most);
      if (got < 0) throw Failure("reading the plugin's file failed: " + std::string{std::strerror(errno)});
      if (got == 0) return;
      put(std::span{buffer_}.first(static_cast<std::size_t>(got)));
    }
  }

  void stream() {
    for (;;) {
      const std::int64_t got = call_.read(buffer_);
      if (got < 0)
        throw Failure("read failed: " + std::string{host::text(static_cast<tftpkit_status>(got))} + ": " +
                      observe::escaped(call_.explanation()));
      if (got == 0) return;
      put(std::span{buffer_}.first(static_cast<std::size_t>(got)));
    }
  }

  host::Call& call_;
  OutputFile& output_;
  std::uint64_t bytes_ = 0;
  std::array<std::byte, 65536> buffer_{};
};

int refused(const host::Answer& answer) {
  const bool declined = answer.status == TFTPKIT_DECLINED;
  std::fprintf(stderr, "tftpkit: the plugin %s: %s%s%s\n", declined ? "declined" : "refused",
               declined ? "a server would ask the next instance"
                        : std::string{host::text(answer.status)}.c_str(),
               answer.text.empty() ? "" : ": ", observe::escaped(answer.text).c_str());
  return exit_failed;
}

int deliver(host::Call& call, host::Source& source, const FetchArguments& arguments) {
  if (source.kind == host::Kind::redirect) {
    std::fprintf(stderr, "REDIRECT: the instances that follow in the route would be asked for %s\n",
                 source.redirect.c_str());
    return exit_ok;
  }
  OutputFile output{arguments.output};
  const std::uint64_t bytes = Pour{call, output}.all_of(source);
  output.finish();
  if (output.is_file())
    std::fprintf(stderr, "%s, %ju bytes\n", host::words(source.kind).data(),
                 static_cast<std::uintmax_t>(bytes));
  return exit_ok;
}

int fetch(const FetchArguments& arguments) {
  observe::Log log{{}};
  const auto instance = instance_of(arguments, log);
  std::promise<host::Answer> promise;
  auto answered = promise.get_future();
  const auto call = host::Call::make(instance, request_for(arguments.path), [&promise](host::Answer answer) {
    promise.set_value(std::move(answer));
  });
  call->open();
  if (answered.wait_for(patience) != std::future_status::ready && call->abandon())
    throw Failure("the plugin did not answer within 30 s");
  host::Answer answer = answered.get();
  if (!answer.source) return refused(answer);
  int status = exit_failed;
  host::Ending ending{TFTPKIT_END_PLUGIN, 0, {}, 0};
  try {
    status = deliver(*call, *answer.source, arguments);
    ending.end = TFTPKIT_END_DELIVERED;
  } catch (...) {
    call->close(ending);
    throw;
  }
  call->close(ending);
  return status;
}

}  // namespace

void add_plugins_fetch(CLI::App& group, Action& action) {
  auto* command = group.add_subcommand("fetch", "Ask a plugin for a path, without a network");
  auto arguments = std::make_shared<FetchArguments>();
  command->add_option("FILE", arguments->file, "The plugin")->type_name("FILE.so")->required();
  command->add_option("PATH", arguments->path, "What a client would ask for")->required();
  command->add_option("--set", arguments->settings, "The settings of the instance, a JSON object")
      ->type_name("JSON");
  command->add_option("-o", arguments->output, "Write the bytes to this file")->type_name("OUT");
  command->footer("Examples:\n  tftpkit plugins fetch ./hello.so any/name\n"
                  "  tftpkit plugins fetch ./file.so menu.cfg --set '{\"root\": \"/srv/tftp\"}'");
  command->callback([arguments, &action] { action = [arguments] { return fetch(*arguments); }; });
}

}  // namespace tftpkit::cli
