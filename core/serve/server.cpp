#include "serve/server.hpp"

#include "host/crashes.hpp"
#include "isolation/sandbox.hpp"
#include "loop/handed_over.hpp"
#include "loop/limits.hpp"
#include "loop/signals.hpp"
#include "observe/signals_blocked.hpp"
#include "serve/commands.hpp"
#include "serve/places.hpp"
#include "serve/privileges.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tftpkit::serve {

namespace {

using observe::Level;

constexpr std::chrono::seconds patience_with_plugins{5};  // at the very end, for calls that do not return
constexpr unsigned most_workers = 8;                      // by default: more loops than this bring nothing

// Half of the cores: receiving in the kernel, plugins and the log want theirs as well, and fewer loops have
// more clients each, whose packets come and leave together.
unsigned worker_count(const config::Config& config) {
  if (config.workers != 0) return config.workers;
  return std::clamp(std::thread::hardware_concurrency() / 2, 1U, most_workers);
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
  raise_limits();
  {
    const observe::SignalsBlocked blocked;
    claim();
    open_control();
    remember_crashes();
    drop_privileges(options_.config.user, options_.config.group);
    keep_to_system_calls();
    load();
    start_workers();
  }
  serve();
  shut_down();
}

// A transfer from a file holds a descriptor.
void Server::raise_limits() {
  constexpr std::uint64_t for_all_else = 2048;
  const std::uint64_t transfers = options_.config.limits.transfers;
  const auto files = loop::raise_open_files_limit(transfers + for_all_else);
  if (files.now > files.hard_before)
    log_.write(Level::info, "limit of descriptors raised", {{"from", files.hard_before}, {"to", files.now}});
  if (files.now < transfers)
    log_.write(Level::warning, "fewer descriptors than transfers: those for whom none is left get an ERROR",
               {{"descriptors", files.now},
                {"limits.transfers", transfers},
                {"hint", "raise the limit (LimitNOFILE= of the unit, ulimit -n) or lower limits.transfers"}});
}

void Server::claim() {
  const unsigned workers = worker_count(options_.config);
  ports_ = options_.sockets.empty() ? loop::claim_ports(listen_addresses(options_.config), workers)
                                    : loop::claim_handed_over(std::move(options_.sockets), workers);
  for (const auto& port : ports_)
    addresses_.push_back(port.address);
}

// A place that nobody named may be taken by another server, or not be there: that is no reason not to serve.
void Server::open_control() {
  const std::string& wanted = options_.config.control;
  if (wanted == "off") return;
  const bool named = wanted != "auto";
  const std::filesystem::path path = named ? std::filesystem::path{wanted} : default_control();
  if (path.empty()) return;
  try {
    commands_ = std::make_unique<ControlSocket>(path);
  } catch (const ControlError& error) {
    if (named) throw;
    log_.write(Level::info, "no control socket", {{"reason", error.what()}});
  }
}

void Server::remember_crashes() {
  const bool named = !options_.config.state_dir.empty();
  state_dir_ = named ? options_.config.state_dir : default_state_dir();
  if (state_dir_.empty() || host::record_crashes(state_dir_, named)) return;
  log_.write(Level::warning, "plugins that crash the server cannot be noted",
             {{"state_dir", state_dir_.string()}, {"reason", std::generic_category().message(errno)}});
}

SetupTools Server::tools() {
  auto end = [this](std::function<void()> ending) {
    changes_->end([this, ending = std::move(ending)]() mutable {
      std::exchange(ending, nullptr)();
      control_.post([this] { on_instance_ended(); });
    });
  };
  return {log_,       *executor_,   std::move(end), options_.version, options_.builtin_plugin_dir,
          state_dir_, generations_, link_address_of};
}

void Server::load() {
  executor_.emplace(options_.config.executor_threads);
  changes_.emplace(
      control_, [this](const Changes::Wish& wish) { return build(wish); },
      [this](const Changes::Wish& wish, const Changes::Built& built) { on_built(wish, built); });
  auto built = build_setup({options_.config, options_.extra_instances}, nullptr, tools());
  if (!built) throw SetupError{built.problems()};
  setup_ = std::move(*built);
  tell_of(nullptr, *setup_);
  watch_plugins();
}

// Before the directories are listed for the last time: what comes in between is an event.
void Server::watch_plugins() {
  const config::Config& config = setup_->config();
  if (!config.watch.value_or(false)) return watch_.reset();
  try {
    if (!watch_) watch_ = std::make_unique<PluginWatch>(control_, [this] { changes_->ask({}); });
    if (watch_->watch(config.plugin_dirs)) changes_->ask({});
  } catch (const std::system_error& error) {
    log_.write(Level::warning, "plugin directories are not watched; reload by hand",
               {{"reason", error.what()}});
  }
}

void Server::start_workers() {
  const unsigned half = std::max(1U, options_.config.executor_threads / 2);
  const Shared shared{log_, admission_, executor_->lane("disk", half), next_id_};
  std::size_t count = 0;
  for (const auto& port : ports_)
    count = std::max(count, port.sockets.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<loop::Fd> sockets;
    for (auto& port : ports_)
      if (i < port.sockets.size()) sockets.push_back(std::move(port.sockets[i]));
    workers_.push_back(std::make_unique<Worker>(shared, std::move(sockets), setup_, i == 0));
  }
  workers_busy_ = workers_.size();
  for (const auto& worker : workers_)
    threads_.emplace_back([&worker = *worker] { worker.run(); });
}

// Before the first plugin is loaded, so that it holds for what plugins start too.
void Server::keep_to_system_calls() {
  if (options_.config.seccomp) isolation::filter_system_calls_of_server();
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
  if (commands_)
    commands_->serve(control_, deadlines_,
                     [this](const std::string& command, const ControlSocket::Answer& answer) {
                       on_command(command, answer);
                     });
  if (options_.on_ready) options_.on_ready(addresses_);
  options_.supervisor.ready("serving");
  heartbeat_ = std::make_unique<Heartbeat>(control_, deadlines_, options_.supervisor, workers_);
  control_.run();
  heartbeat_.reset();
  (void)observe::SignalsBlocked::block();  // once nobody watches them, one more would end the process before
                                           // all is put away
}

void Server::reload() {
  log_.reopen();
  options_.supervisor.reloading();
  changes_->ask({.reread = true, .look_again = true});
}

void Server::on_command(const std::string& line, const ControlSocket::Answer& answer) {
  const auto command = command_from(line);
  if (!command) return answer(text(answer_of({no_command(line)})));
  if (*command == Command::plugins) return answer(text(CommandAnswer{true, roster_.rows(*setup_)}));
  log_.reopen();
  options_.supervisor.reloading();
  const auto tell = [answer](const config::Problems& problems) { answer(text(answer_of(problems))); };
  changes_->ask({.reread = true, .look_again = true, .tell = {tell}});
}

// On a thread of Changes. setup_ stays as it is until on_built().
Changes::Built Server::build(const Changes::Wish& wish) {
  Wanted wanted{setup_->config(), options_.extra_instances, wish.look_again};
  if (wish.reread && options_.reload) {
    auto loaded = options_.reload();
    if (!loaded) return loaded.problems();
    wanted.config = std::move(*loaded);
  }
  return build_setup(wanted, setup_.get(), tools());
}

void Server::on_built(const Changes::Wish& wish, const Changes::Built& built) {
  if (stopping_) return;
  const config::Problems& problems = built ? (*built)->problems : built.problems();
  if (built) {
    if (wish.reread) warn_of_what_needs_a_restart((*built)->config());
    use(*built);
    if (wish.reread) log_.write(Level::info, "reloaded", {{"instances", setup_->instances.size()}});
  } else {
    // Each is its own subject, or the eleventh would be taken for a repeat of the first.
    for (const auto& problem : problems)
      log_.write(Level::error, "reload failed, the old configuration goes on", {{"problem", text(problem)}},
                 text(problem));
  }
  if (wish.reread) options_.supervisor.ready(built ? "serving" : "serving, the last reload failed");
  for (const auto& tell : wish.tell)
    tell(problems);
}

void Server::use(const std::shared_ptr<const Setup>& setup) {
  const auto before = std::exchange(setup_, setup);
  tell_of(before.get(), *setup);
  roster_.changed(before.get(), *setup);
  admission_.set_limits(admission_limits(setup->config().limits));
  log_.set_level(setup->config().log.level);
  for (const auto& worker : workers_)
    worker->use(setup_);
  watch_plugins();
}

// What is new: a line for every problem that was not there before, and for what serves no longer.
void Server::tell_of(const Setup* before, const Setup& now) const {
  const auto known = [&](const std::string& problem) {
    return before != nullptr && std::ranges::any_of(before->problems, [&](const auto& old) {
             return config::text(old) == problem;
           });
  };
  for (const auto& problem : now.problems)
    if (const std::string what = config::text(problem); !known(what))
      log_.write(Level::warning, "plugin not used as it is", {{"problem", what}}, what);
  if (before == nullptr) return;
  for (const auto& old : before->instances) {
    const auto same = [&](const RunningInstance& one) { return one.config.name == old.config.name; };
    if (std::ranges::none_of(now.instances, same))
      log_.write(Level::info, "instance takes no more requests",
                 {{"instance", old.config.name}, {"file", old.finding.file.string()}});
  }
}

// What waited for the end of a singleton may begin now.
void Server::on_instance_ended() {
  if (!stopping_ && setup_ && !setup_->waiting.empty()) changes_->ask({});
}

void Server::warn_of_what_needs_a_restart(const config::Config& fresh) const {
  const config::Config& now = options_.config;
  const auto warn = [this](bool changed, std::string_view what) {
    if (changed) log_.write(Level::warning, "this setting changes only by a restart", {{"setting", what}});
  };
  warn(fresh.listen != now.listen, "listen");
  warn(fresh.workers != now.workers, "workers");
  warn(fresh.user != now.user || fresh.group != now.group, "user, group");
  warn(fresh.chroot != now.chroot || fresh.seccomp != now.seccomp, "chroot, seccomp");
  warn(fresh.executor_threads != now.executor_threads, "executor_threads");
  warn(fresh.control != now.control || fresh.state_dir != now.state_dir, "control, state_dir");
  warn(fresh.log.file != now.log.file || fresh.log.format != now.log.format, "log.file, log.format");
}

// The first call drains, the second ends running transfers at once.
void Server::stop() {
  if (std::exchange(stopping_, true)) return on_drain_over();
  const auto seconds = std::chrono::duration<double>(setup_->config().drain).count();
  log_.write(Level::info, "stopping: no new requests, running transfers may end",
             {{"within_seconds", seconds}});
  options_.supervisor.stopping("waiting for running transfers");
  deadlines_.set_after(drain_over_, setup_->config().drain);
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
  fields.reserve(observe::counter_rows<std::uint64_t>.size() + 2);
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
  watch_.reset();
  commands_.reset();
  join_workers();
  if (!executor_) return;
  if (changes_) leave_if_hanging(changes_->shutdown(patience_with_plugins));
  leave_if_hanging(executor_->shutdown(patience_with_plugins));
  if (!workers_.empty()) log_counters();
  setup_.reset();
  workers_.clear();
  for (int turn = 0; turn < 2; ++turn) {  // instances whose last holder has gone end here
    control_.stop();
    control_.run();
  }
  changes_.reset();
  // They use the log until then.
  if (!host::Instance::end_all(patience_with_plugins))
    leave("instances are still in use; leaving without them", {});
  executor_.reset();
}

void Server::leave_if_hanging(const loop::Executor::Shutdown& ended) {
  if (ended.joined) return;
  leave("plugin calls do not return; leaving without them",
        {{"threads", std::uint64_t{ended.hanging_threads}}});
}

void Server::leave(std::string_view why, std::initializer_list<observe::Field> fields) {
  log_.write(Level::error, why, fields);
  log_.flush();
  ::_exit(0);
}

}  // namespace tftpkit::serve
