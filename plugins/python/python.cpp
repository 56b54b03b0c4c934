#include "python.hpp"

#include "host_link.hpp"

#include <cstdint>

namespace tftpkit::python {
namespace {

constexpr std::int64_t least_piece = 4 * 1024;
constexpr std::int64_t usual_piece = 128 * 1024;
constexpr std::int64_t most_piece = 16 * 1024 * 1024;

Wanted wanted(const Host& host) {
  const auto given = [&](const char* pointer) { return std::string(host.setting(pointer).value_or("")); };
  Wanted wanted;
  wanted.instance = host.instance_name();
  wanted.script = given("/script");
  if (wanted.script.empty())
    throw Failure(Status::option, "/script is missing: give the file with answer(request)");
  wanted.settings = given("/settings");
  wanted.more_paths = given("/path");
  const std::int64_t piece = host.setting_int("/read_size").value_or(usual_piece);
  if (piece < least_piece || piece > most_piece)
    throw Failure(Status::option, "/read_size is " + std::to_string(piece) + " bytes: give 4KiB to 16MiB");
  wanted.piece = static_cast<std::size_t>(piece);
  return wanted;
}

}  // namespace

Python::Link::Link(Host host) {
  static_cast<void>(border());
  const Gil gil;
  capsule_ = make_link(host.table());
}

Python::Link::~Link() {
  const Gil gil;
  cut_link(capsule_.get());
  capsule_.reset();
}

Python::Python(Host host) : wanted_(wanted(host)), link_(host), script_(host, ways()) {
  script_.load_first();
}

Python::~Python() = default;

kit::Watched<Script>::Ways Python::ways() {
  return {.what = "the script " + wanted_.script.string(),
          .paths = {wanted_.script},
          .load = [this] { return load(); },
          .summary =
              [](const Script& script) {
                return "loaded" +
                       (script.files().size() == 1
                            ? std::string()
                            : ", with " + std::to_string(script.files().size() - 1) + " of its modules");
              },
          // Before the start the modules are no news: a script should be set up once.
          .looked_at = [this] { return started_ ? files_ : std::vector{wanted_.script}; }};
}

config::Checked<std::shared_ptr<const Script>> Python::load() {
  try {
    auto script = std::make_shared<const Script>(wanted_, link_.get());
    if (started_) script->start();
    files_ = script->files();
    return std::shared_ptr<const Script>(std::move(script));
  } catch (const Failure& failure) {
    config::Problem problem;
    problem.what = failure.what();
    return config::Problems{std::move(problem)};
  }
}

void Python::start() {
  script_.now()->start();
  started_ = true;
  script_.start();
}

void Python::stop() {
  script_.stop();
  script_.now()->stop();
}

}  // namespace tftpkit::python
