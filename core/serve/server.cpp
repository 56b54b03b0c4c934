#include "serve/server.hpp"

#include "loop/limits.hpp"
#include "loop/signals.hpp"
#include "serve/privileges.hpp"

#include <algorithm>
#include <csignal>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::serve {

namespace {

using observe::Level;

constexpr std::chrono::seconds patience_with_plugins{5};  // at the very end, for calls that do not return
constexpr unsigned most_workers = 8;                      // by default: more loops than this bring nothing

// This thread takes no signals from now on, but for faults of its own. What it took before.
sigset_t block_signals() {
  sigset_t all, before;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::sigdelset(&all, fault);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  return before;
}

// Threads made while this lives take no signals: these belong to the control loop alone.
class SignalsBlocked {
 public:
  SignalsBlocked() : before_{block_signals()} {}
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

unsigned worker_count(const config::Config& config) {
  if (config.workers != 0) return config.workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, most_workers);
}

std::vector<loop::Address> listen_addresses(const config::Config& config) {
  constexpr std::uint16_t tftp_port = 69;
  std::vector<loop::Address> all;
  for (const auto& text : config.listen) {
    std::string error;
    const auto addresses = loop::parse_listen(text, tftp_port, error);
    if (addresses.empty()) throw SetupError{{{"", "", "listen: " + error, ""}}};
    all.insert(all.end(), addresses.begin(), addresses.end());
  }
  return all;
}

}  // namespace

Server::Server(observe::Log& log, ServerOptions options)
    : log_{log}, options_{std::move(options)}, deadlines_{control_},
      drain_over_{loop::Deadline::calls<&Server::on_drain_over>(this)}, admission_{admission_limits(
                                                                            options_.config.limits)} {}

Server::~Server() {
  shut_down();
}

void Server::run() {
  std::signal(SIGPIPE, SIG_IGN);
  loop::raise_open_files_limit();
  {
    const SignalsBlocked blocked;
    claim();
    drop_privileges(options_.config.user, options_.config.group);
    load();
    start_workers();
  }
  serve();
  shut_down();
}

void Server::claim() {
  ports_ = loop::claim_ports(listen_addresses(options_.config), worker_count(options_.config));
  for (const auto& port : ports_)
    addresses_.push_back(port.address);
}

SetupTools Server::tools() {
  return {log_,
          *executor_,
          [this](std::function<void()> end) { control_.post(std::move(end)); },
          options_.version,
          options_.builtin_plugin_dir,
          link_address_of};
}

void Server::load() {
  executor_.emplace(options_.config.executor_threads);
  auto built = build_setup(options_.config, options_.extra_instances, nullptr, tools());
  if (!built) throw SetupError{built.problems()};
  setup_ = std::move(*built);
}

void Server::start_workers() {
  const unsigned half = std::max(1U, options_.config.executor_threads / 2);
  const Shared shared{log_, admission_, executor_->lane("disk", half), next_id_};
  for (unsigned i = 0; i < worker_count(options_.config); ++i) {
    std::vector<loop::Fd> sockets;
    for (auto& port : ports_)
      sockets.push_back(std::move(port.sockets[i]));
    workers_.push_back(std::make_unique<Worker>(shared, std::move(sockets), setup_, i == 0));
  }
  workers_busy_ = workers_.size();
  for (const auto& worker : workers_)
    threads_.emplace_back([&worker = *worker] { worker.run(); });
}

void Server::serve() {
  const auto on = [this](int number, std::function<void()> react) {
    return std::make_unique<loop::SignalWatch>(control_, number, std::move(react));
  };
  const auto terminate = on(SIGTERM, [this] { stop(); });
  const auto interrupt = on(SIGINT, [this] { stop(); });
  const auto hang_up = on(SIGHUP, [this] { reload(); });
  const auto user = on(SIGUSR1, [this] { log_counters(); });
  const auto child = on(SIGCHLD, [this] {
    if (options_.on_child && options_.on_child()) stop();
  });
  for (const auto& address : addresses_)
    log_.write(Level::info, "listening", {{"address", address.to_string()}, {"workers", workers_.size()}});
  if (options_.on_ready) options_.on_ready(addresses_);
  control_.run();
  (void)block_signals();  // once nobody watches them, one more would end the process before all is put away
}

void Server::reload() {
  log_.reopen();
  config::Config fresh = options_.config;
  if (options_.reload) {
    auto loaded = options_.reload();
    if (!loaded) {
      for (const auto& problem : loaded.problems())
        log_.write(Level::error, "reload failed, the old configuration goes on",
                   {{"problem", text(problem)}});
      return;
    }
    fresh = std::move(*loaded);
  }
  auto built = [&] {
    const SignalsBlocked blocked;
    return build_setup(fresh, options_.extra_instances, setup_.get(), tools());
  }();
  if (!built) {
    for (const auto& problem : built.problems())
      log_.write(Level::error, "reload failed, the old configuration goes on", {{"problem", text(problem)}});
    return;
  }
  warn_of_what_needs_a_restart(fresh);
  setup_ = std::move(*built);
  admission_.set_limits(admission_limits(fresh.limits));
  log_.set_level(fresh.log.level);
  for (const auto& worker : workers_)
    worker->use(setup_);
  log_.write(Level::info, "reloaded", {{"instances", setup_->instances.size()}});
}

void Server::warn_of_what_needs_a_restart(const config::Config& fresh) const {
  const config::Config& now = options_.config;
  const auto warn = [this](bool changed, std::string_view what) {
    if (changed) log_.write(Level::warning, "this setting changes only by a restart", {{"setting", what}});
  };
  warn(fresh.listen != now.listen, "listen");
  warn(fresh.workers != now.workers, "workers");
  warn(fresh.user != now.user || fresh.group != now.group, "user, group");
  warn(fresh.executor_threads != now.executor_threads, "executor_threads");
  warn(fresh.log.file != now.log.file || fresh.log.format != now.log.format, "log.file, log.format");
}

// The first call drains, the second ends running transfers at once.
void Server::stop() {
  if (std::exchange(stopping_, true)) return on_drain_over();
  const auto seconds = std::chrono::duration<double>(setup_->config.drain).count();
  log_.write(Level::info, "stopping: no new requests, running transfers may end",
             {{"within_seconds", seconds}});
  deadlines_.set_after(drain_over_, setup_->config.drain);
  for (const auto& worker : workers_)
    worker->drain([this] { control_.post([this] { on_worker_empty(); }); });
}

void Server::on_worker_empty() {
  if (--workers_busy_ == 0) control_.stop();
}

void Server::on_drain_over() {
  for (const auto& worker : workers_)
    worker->end_sessions();
}

void Server::log_counters() const {
  std::vector<const observe::Counters*> sets;
  for (const auto& worker : workers_)
    sets.push_back(&worker->counters());
  const observe::Totals totals = observe::sum(sets);
  std::vector<observe::Field> fields;
  for (const auto& row : observe::counter_rows<std::uint64_t>)
    fields.emplace_back(row.name, totals.*row.member);
  fields.emplace_back("open_transfers", admission_.transfers());
  fields.emplace_back("buffer_bytes", admission_.buffer_bytes());
  log_.write(Level::info, "counters", fields);
}

void Server::join_workers() {
  for (const auto& worker : workers_)
    worker->stop();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

// Sessions first, then what plugins still do for them, then the plugins, then the loops they could post to.
void Server::shut_down() {
  deadlines_.cancel(drain_over_);
  join_workers();
  if (!executor_) return;
  const auto ended = executor_->shutdown(patience_with_plugins);
  if (!ended.joined) {
    log_.write(Level::error, "plugin calls do not return; leaving without them",
               {{"threads", std::uint64_t{ended.hanging_threads}}});
    log_.flush();
    ::_exit(0);
  }
  if (!workers_.empty()) log_counters();
  setup_.reset();
  workers_.clear();
  control_.stop();
  control_.run();  // instances whose last holder has gone end here
  host::Instance::reap();
  executor_.reset();
}

}  // namespace tftpkit::serve
