#include "serve/start.hpp"

#include "isolation/instance.hpp"
#include "observe/log.hpp"
#include "serve/plugin_address.hpp"

#include <utility>

namespace tftpkit::serve {

namespace {

unsigned most_parallel(const config::InstanceConfig& config, const config::Config& all) {
  return config.max_parallel != 0 ? config.max_parallel : all.executor_threads_per_instance;
}

isolation::Sandbox sandbox(const config::SandboxConfig& config) {
  isolation::Sandbox sandbox;
  sandbox.user = config.user;
  sandbox.network = config.network;
  for (const auto& path : config.read)
    sandbox.read.push_back(path.string());
  return sandbox;
}

isolation::Options isolation_options(const config::InstanceConfig& config, const config::Config& all) {
  isolation::Options options;
  options.memory = config.isolation->memory_bytes;
  options.call_limit = config.isolation->call_limit;
  options.threads = config.execution == config::Execution::serial ? 1 : most_parallel(config, all);
  if (config.isolation->sandbox) options.sandbox = sandbox(*config.isolation->sandbox);
  return options;
}

Started isolated(const config::InstanceConfig& config, const config::Config& all,
                 const host::Finding& finding, host::Settings settings, host::Services services,
                 std::shared_ptr<host::Instance>& instance) {
  auto made = isolation::isolated_instance(
      *finding.description, {config.name, host::Snapshot::of(finding.file, finding.identity),
                             std::move(settings), std::move(services), isolation_options(config, all)});
  instance = std::move(made.instance);
  return {nullptr, std::move(made.keeper)};
}

// The last holder of an instance is a worker, which must not wait for its end.
std::shared_ptr<host::Instance> ending_elsewhere(std::shared_ptr<host::Instance> instance,
                                                 const SetupTools& tools) {
  host::Instance* raw = instance.get();
  return {raw, [inner = std::move(instance), end = tools.end_elsewhere,
                &log = tools.log](host::Instance*) mutable {
            end([last = std::move(inner), &log]() mutable {
              const std::string name = last->name();
              last.reset();
              log.write(observe::Level::info, "instance ended", {{"instance", name}});
            });
          }};
}

}  // namespace

std::uint32_t execution_number(config::Execution execution) noexcept {
  switch (execution) {
  case config::Execution::serial: return TFTPKIT_EXEC_SERIAL;
  case config::Execution::parallel: return TFTPKIT_EXEC_PARALLEL;
  case config::Execution::on_loop: return TFTPKIT_EXEC_INLINE;
  }
  return TFTPKIT_EXEC_SERIAL;
}

std::shared_ptr<host::Library> loaded_here(const config::InstanceConfig& config,
                                           const host::Finding& finding) {
  return config.isolation ? nullptr : host::Library::load(finding.file, finding.identity);
}

// Calls of an isolated instance overlap here as they like: its process keeps them apart.
Started start_instance(const config::InstanceConfig& config, const config::Config& all,
                       const host::Finding& finding, const std::shared_ptr<host::Library>& library,
                       host::Settings settings, const SetupTools& tools) {
  host::Services services{tools.log, tools.neighbour, tools.product_version, {}};
  std::shared_ptr<host::Instance> instance;
  Started started;
  if (library)
    instance = host::Instance::create(library, config.name, std::move(settings), std::move(services));
  else
    started = isolated(config, all, finding, std::move(settings), std::move(services), instance);
  const std::uint32_t execution =
      config.execution ? execution_number(*config.execution) : instance->execution();
  auto served = std::make_shared<Served>();
  served->instance = ending_elsewhere(std::move(instance), tools);
  const bool overlap = execution == TFTPKIT_EXEC_PARALLEL || !library;
  if (execution != TFTPKIT_EXEC_INLINE || !library)
    served->lane = tools.executor.lane(config.name, overlap ? most_parallel(config, all) : 1);
  tools.log.write(observe::Level::info, "instance started",
                  {{"instance", config.name},
                   {"plugin", finding.description->name},
                   {"version", finding.description->version},
                   {"execution", host::execution_text(execution)},
                   {"isolation", library ? "none" : "process"},
                   {"file", finding.file.string()}});
  started.served = std::move(served);
  return started;
}

}  // namespace tftpkit::serve
