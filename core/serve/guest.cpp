#include "serve/guest.hpp"

#include "isolation/channel.hpp"
#include "isolation/message.hpp"
#include "isolation/sandbox.hpp"
#include "loop/loop.hpp"
#include "loop/poller.hpp"
#include "observe/log.hpp"
#include "serve/guest_transfer.hpp"
#include "serve/privileges.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tftpkit::serve {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience_with_plugin{4'000};  // at the end; the server's own is a little longer
constexpr milliseconds patience_with_server{5'000};  // for the answer to a question
constexpr int most_messages_at_once = 256;

// The peer's link-layer address, asked from the server: the sandbox may leave no socket to ask the kernel by.
class LinkAddresses {
 public:
  explicit LinkAddresses(const isolation::Channel& channel) : channel_{channel} {}

  // On any thread but the loop's.
  bool ask(const tftpkit_addr& peer, std::uint8_t* mac) {
    std::unique_lock lock{mutex_};
    const std::uint64_t ticket = ++last_;
    channel_.send_waiting(isolation::encoded(isolation::LinkQuestion{ticket, peer}));
    const bool came =
        answered_.wait_for(lock, patience_with_server, [&] { return answers_.contains(ticket); });
    if (!came) return false;
    const isolation::LinkAddress answer = answers_.extract(ticket).mapped();
    if (answer.found) std::memcpy(mac, answer.mac.data(), answer.mac.size());
    return answer.found;
  }

  void on_answer(const isolation::LinkAddress& answer) {
    const std::lock_guard lock{mutex_};
    answers_[answer.ticket] = answer;
    answered_.notify_all();
  }

 private:
  const isolation::Channel& channel_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, isolation::LinkAddress> answers_;
};

host::OpenRequest request_of(isolation::Open open) {
  host::OpenRequest request;
  request.id = open.id;
  request.wire_path = std::move(open.wire_path);
  request.path = std::move(open.path);
  request.mode = open.mode;
  request.blksize = open.blksize;
  request.windowsize = open.windowsize;
  request.answer_within = milliseconds(open.answer_within_ms);
  request.peer = open.peer;
  request.local = open.local;
  request.options = std::move(open.options);
  request.redirects = open.redirects;
  return request;
}

host::Ending ending_of(const isolation::Close& close) {
  return {close.end, close.bytes, std::chrono::microseconds(close.elapsed_us), close.resends};
}

// The process while it serves.
class Guest {
 public:
  Guest(const isolation::Start& start, isolation::Channel& channel)
      : channel_{channel}, log_{log_options(start)}, executor_{start.threads + 1}, links_{channel} {}

  void begin(const isolation::Start& start, const host::UniqueFd& copy, host::Settings settings);
  void serve();

 private:
  static observe::LogOptions log_options(const isolation::Start& start) {
    observe::LogOptions options;
    options.level = static_cast<observe::Level>(start.log_level);
    return options;
  }
  host::Services services(const isolation::Start& start);
  void say(host::Services::Kind kind, observe::Level level, std::string_view text) const;
  void on_readable();
  void take(std::span<const std::byte> bytes);
  void open(isolation::Open message);
  std::shared_ptr<GuestTransfer> taken_out(std::uint64_t id);
  [[nodiscard]] milliseconds longest_call();
  void end();

  isolation::Channel& channel_;
  observe::Log log_;
  loop::Loop loop_;
  loop::Executor executor_;
  LinkAddresses links_;
  std::shared_ptr<const Served> served_;
  std::unordered_map<std::uint64_t, std::shared_ptr<GuestTransfer>> transfers_;
  std::vector<std::weak_ptr<const host::Call>> calls_;  // also those that are being closed
};

void Guest::begin(const isolation::Start& start, const host::UniqueFd& copy, host::Settings settings) {
  const auto library =
      start.in_place ? host::Library::load(start.file) : host::Library::load_copy(start.file, copy);
  auto served = std::make_shared<Served>();
  served->instance = host::Instance::create(library, start.instance, std::move(settings), services(start));
  const bool serial = served->instance->execution() == TFTPKIT_EXEC_SERIAL;
  served->lane = executor_.lane(start.instance, serial ? 1 : start.threads);
  served_ = std::move(served);
}

host::Services Guest::services(const isolation::Start& start) {
  host::Services services{log_, {}, start.product_version};
  services.neighbour = [this](const tftpkit_addr& peer, std::uint8_t* mac) {
    return !loop_.on_own_thread() && links_.ask(peer, mac);
  };
  services.speech = [this](host::Services::Kind kind, observe::Level level, std::string_view text) {
    say(kind, level, text);
  };
  return services;
}

void Guest::say(host::Services::Kind kind, observe::Level level, std::string_view text) const {
  if (kind == host::Services::Kind::fault) {
    channel_.send_waiting(isolation::encoded(isolation::Fault{isolation::cut(text)}));
    return;
  }
  if (!log_.enabled(level)) return;
  constexpr std::array<std::uint8_t, 4> numbers{TFTPKIT_LOG_DEBUG, TFTPKIT_LOG_INFO, TFTPKIT_LOG_WARNING,
                                                TFTPKIT_LOG_ERROR};
  const auto number = numbers.at(static_cast<std::size_t>(level));
  channel_.send_waiting(isolation::encoded(isolation::Says{number, isolation::cut(text)}));
}

void Guest::serve() {
  loop::FdWatch watch{loop_, channel_.fd(), loop::FdWatch::Want::read,
                      [this](loop::Ready) { on_readable(); }};
  channel_.send_waiting(isolation::encoded(isolation::Ready{}));
  loop_.run();
  watch.close();
  end();
}

void Guest::on_readable() {
  for (int left = most_messages_at_once; left > 0; --left) {
    const isolation::Received received = channel_.receive();
    if (received.kind == isolation::Received::Kind::nothing_yet) return;
    // Without a server there is nobody to serve and nobody to tell.
    if (received.kind != isolation::Received::Kind::message) ::_exit(isolation::exit_without_server);
    take(received.bytes);
  }
}

void Guest::take(std::span<const std::byte> bytes) {
  if (auto message = isolation::decoded<isolation::Open>(bytes)) return open(std::move(*message));
  if (const auto more = isolation::decoded<isolation::More>(bytes)) {
    const auto at = transfers_.find(more->id);
    if (at != transfers_.end()) at->second->more(more->taken);
  } else if (const auto close = isolation::decoded<isolation::Close>(bytes)) {
    if (const auto transfer = taken_out(close->id)) transfer->close(ending_of(*close));
  } else if (const auto given_up = isolation::decoded<isolation::GiveUp>(bytes)) {
    if (const auto transfer = taken_out(given_up->id)) transfer->give_up();
  } else if (const auto address = isolation::decoded<isolation::LinkAddress>(bytes)) {
    links_.on_answer(*address);
  } else if (const auto level = isolation::decoded<isolation::LogLevel>(bytes)) {
    log_.set_level(static_cast<observe::Level>(level->level));
  } else if (const auto ping = isolation::decoded<isolation::Ping>(bytes)) {
    const auto longest = static_cast<std::uint64_t>(longest_call().count());
    channel_.send_waiting(isolation::encoded(isolation::Pong{ping->number, longest}));
  } else if (isolation::decoded<isolation::Stop>(bytes)) {
    loop_.stop();
  }
}

void Guest::open(isolation::Open message) {
  const auto id = message.id;
  auto transfer = std::make_shared<GuestTransfer>(loop_, channel_, served_, id);
  transfers_[id] = transfer;
  transfer->open(request_of(std::move(message)));
  calls_.push_back(transfer->call());
}

std::shared_ptr<GuestTransfer> Guest::taken_out(std::uint64_t id) {
  const auto at = transfers_.find(id);
  if (at == transfers_.end()) return nullptr;
  auto transfer = std::move(at->second);
  transfers_.erase(at);
  return transfer;
}

milliseconds Guest::longest_call() {
  std::erase_if(calls_, [](const auto& call) { return call.expired(); });
  const auto now = loop::Clock::now();
  auto longest = loop::Clock::duration::zero();
  for (const auto& weak : calls_) {
    const auto call = weak.lock();
    const auto since = call ? call->running_since() : std::nullopt;
    if (since) longest = std::max(longest, now - *since);
  }
  return std::chrono::duration_cast<milliseconds>(longest);
}

// No destructors beyond these: what a plugin left behind may hang.
void Guest::end() {
  transfers_.clear();
  const auto ended = executor_.shutdown(patience_with_plugin);
  if (!ended.joined) ::_exit(0);
  served_.reset();
  (void)host::Instance::end_all(patience_with_plugin);
  ::_exit(0);
}

struct Beginning {
  isolation::Start start;
  host::UniqueFd copy;
  host::Settings settings;
};

// The first message. A server that says anything else is none.
Beginning received_start(isolation::Channel& channel) {
  pollfd news{channel.fd(), POLLIN, 0};
  ::poll(&news, 1, -1);
  isolation::Received received = channel.receive();
  auto start = isolation::decoded<isolation::Start>(received.bytes);
  const std::size_t wanted = start && start->in_place ? 1 : 2;
  if (!start || received.descriptors.size() != wanted || ::getppid() != start->server_pid) ::_exit(2);
  Beginning beginning;
  const auto size = ::lseek(received.descriptors[0].get(), 0, SEEK_END);
  const isolation::Mapping bytes{received.descriptors[0], static_cast<std::size_t>(size),
                                 isolation::Mapping::Access::read};
  auto settings = isolation::decoded_settings(bytes.bytes());
  if (!settings) ::_exit(2);
  beginning.start = std::move(*start);
  beginning.settings = std::move(*settings);
  if (wanted == 2) beginning.copy = std::move(received.descriptors[1]);
  return beginning;
}

void enter_sandbox(const isolation::Start& start) {
  constexpr unsigned own_threads = 3;  // the loop, the log, one more in the executor
  isolation::bound_this_process(start.memory, start.threads + own_threads);
  if (!start.sandboxed) return;
  isolation::make_view_read_only(start.sandbox, start.file);
  const bool root = ::geteuid() == 0;
  const std::string& wanted = start.sandbox.user;
  drop_privileges(wanted.empty() && root ? "nobody" : wanted, "");
  isolation::give_up_privileges();
  isolation::filter_system_calls(start.sandbox.network);
}

// The plugin's code must not find the connection at the number where we were given it.
isolation::Channel hidden_channel() {
  host::UniqueFd hidden(::fcntl(isolation::channel_fd, F_DUPFD_CLOEXEC, 10));
  ::close(isolation::channel_fd);
  if (!hidden) ::_exit(2);
  return isolation::Channel{std::move(hidden)};
}

// Without what every message of this instance begins with: the server says it again.
std::string reason_of(const host::Error& error, const std::string& instance) {
  const std::string text = error.what();
  const std::size_t end = text.find("): ");
  const bool titled = text.starts_with("instance \"" + instance + "\"") && end != std::string::npos;
  return titled ? text.substr(end + 3) : text;
}

void say_failed(const isolation::Channel& channel, const std::string& why) {
  channel.send_waiting(isolation::encoded(isolation::Failed{isolation::cut(why)}));
}

}  // namespace

void guest_process() {
  isolation::end_with_the_server();
  std::signal(SIGPIPE, SIG_IGN);
  isolation::Channel channel = hidden_channel();
  Beginning beginning = received_start(channel);
  try {
    enter_sandbox(beginning.start);
    Guest guest{beginning.start, channel};
    guest.begin(beginning.start, beginning.copy, std::move(beginning.settings));
    guest.serve();
  } catch (const host::Error& error) {
    say_failed(channel, reason_of(error, beginning.start.instance));
  } catch (const std::exception& error) {
    say_failed(channel, std::string{"its process cannot begin: "} + error.what());
  }
  ::_exit(0);
}

}  // namespace tftpkit::serve
