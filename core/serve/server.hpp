// Server: the whole of it, from binding to the last transfer's end. Runs the workers, owns the setup, reacts
// to signals. Knows neither packets nor the command line; main owns it.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"
#include "loop/address.hpp"
#include "loop/claim.hpp"
#include "loop/deadlines.hpp"
#include "loop/executor.hpp"
#include "loop/loop.hpp"
#include "observe/counters.hpp"
#include "observe/log.hpp"
#include "serve/admission.hpp"
#include "serve/changes.hpp"
#include "serve/control_socket.hpp"
#include "serve/heartbeat.hpp"
#include "serve/plugin_watch.hpp"
#include "serve/roster.hpp"
#include "serve/setup.hpp"
#include "serve/supervisor.hpp"
#include "serve/worker.hpp"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tftpkit::serve {

// A start that failed because of what was configured: every problem, one a line, is for the user.
class SetupError : public std::runtime_error {
 public:
  explicit SetupError(const config::Problems& problems) : std::runtime_error(config::text(problems)) {}
};

struct ServerOptions {
  config::Config config;
  std::vector<config::InstanceConfig> extra_instances;      // from the command line
  std::function<config::Checked<config::Config>()> reload;  // reads the configuration anew (SIGHUP)
  std::filesystem::path builtin_plugin_dir;
  std::string version;
  std::vector<loop::Fd> sockets;  // bound by somebody else; not empty: they take the place of config.listen
  Supervisor supervisor;
  std::function<void(const std::vector<loop::Address>&)> on_ready;  // with the ports that were really bound
  std::function<bool()> on_child;  // SIGCHLD; true: the server's work is done
};

class Server {
 public:
  Server(observe::Log& log, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds, drops privileges, loads plugins, serves until SIGTERM, SIGINT or on_child says so, and drains.
  // Throws loop::ClaimError, SetupError, std::runtime_error before it serves; afterwards it does not.
  void run();

 private:
  void raise_limits();
  void claim();
  void keep_to_system_calls();
  void load();
  void start_workers();
  void serve();
  void open_control();
  void remember_crashes();
  void reload();
  void watch_plugins();
  void on_command(const std::string& line, const ControlSocket::Answer& answer);
  [[nodiscard]] Changes::Built build(const Changes::Wish& wish);
  void on_built(const Changes::Wish& wish, const Changes::Built& built);
  void use(const std::shared_ptr<const Setup>& setup);
  void tell_of(const Setup* before, const Setup& now) const;
  void on_instance_ended();
  void warn_of_what_needs_a_restart(const config::Config& fresh) const;
  void stop();
  void on_worker_empty();
  void on_drain_over();
  void log_counters() const;
  void join_workers();
  void shut_down();
  void leave_if_hanging(const loop::Executor::Shutdown& ended);
  [[noreturn]] void leave(std::string_view why, std::initializer_list<observe::Field> fields);
  [[nodiscard]] SetupTools tools();

  observe::Log& log_;
  ServerOptions options_;
  loop::Loop control_;
  loop::Deadlines deadlines_;
  loop::Deadline drain_over_;
  Admission admission_;
  std::optional<loop::Executor> executor_;
  std::filesystem::path state_dir_;
  std::unique_ptr<ControlSocket> commands_;
  std::optional<Changes> changes_;
  std::unique_ptr<PluginWatch> watch_;
  std::map<std::string, unsigned> generations_;
  Roster roster_;
  std::vector<loop::ClaimedPort> ports_;
  std::vector<loop::Address> addresses_;
  std::shared_ptr<const Setup> setup_;  // replaced on the control thread only
  std::atomic<std::uint64_t> next_id_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::size_t workers_busy_ = 0;
  bool stopping_ = false;
};

}  // namespace tftpkit::serve
