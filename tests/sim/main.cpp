// The simulator's command line: seeds to run, for how many or for how long, and one seed again with its
// trace.
#include "memory.hpp"
#include "trace.hpp"
#include "world.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <getopt.h>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using tftpkit::sim::Report;
using tftpkit::sim::Trace;
using tftpkit::sim::World;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

Report run(std::uint64_t seed) {
  const std::size_t descriptors = open_descriptors();
  const std::size_t before = tftpkit::sim::live_allocations();
  Report report;
  {
    World world{seed};
    report = world.run();
  }
  const std::size_t kept = tftpkit::sim::live_allocations() - before;
  const std::size_t own = report.findings.capacity() > 0 ? 1 : 0;  // the report's own memory
  if (report.findings.empty() && kept > own + (report.summary.capacity() > 15 ? 1 : 0))
    report.findings.push_back({"memory is back to zero", std::to_string(kept) + " allocations are left"});
  if (open_descriptors() != descriptors)
    report.findings.push_back({"no descriptor stays open", std::to_string(open_descriptors()) +
                                                               " instead of " + std::to_string(descriptors)});
  return report;
}

struct Options {
  std::uint64_t seeds = 2000;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> seed;
  double minutes = 0;
  double hours = 0;
  std::uint64_t again = 20;
  bool trace = false;
  bool first_failure = false;
  std::string commit = "unknown";
};

struct Sums {
  std::uint64_t seeds = 0, failed = 0, packets = 0, transfers = 0, complete = 0, told = 0, gave_up = 0,
                left = 0, resends = 0;

  void add(const Report& report) {
    ++seeds;
    failed += report.findings.empty() ? 0 : 1;
    packets += report.packets;
    transfers += report.transfers;
    complete += report.complete;
    told += report.told;
    gave_up += report.gave_up;
    left += report.left;
    resends += report.resends;
  }
};

void tell(std::uint64_t seed, const Report& report, const Options& options) {
  std::printf("seed %ju FAILED (%s), commit %s; again with its trace: tests/sim/run --seed %ju --trace\n",
              static_cast<std::uintmax_t>(seed), report.summary.c_str(), options.commit.c_str(),
              static_cast<std::uintmax_t>(seed));
  for (const auto& finding : report.findings)
    std::printf("  not true: %s\n    %s\n", finding.property.c_str(), finding.what.c_str());
}

int run_all(const Options& options) {
  using Clock = std::chrono::system_clock;  // the steady one is the simulation's
  const auto began = Clock::now();
  const double budget = options.minutes * 60 + options.hours * 3600;
  const auto elapsed = [began] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  Sums sums;
  for (std::uint64_t seed = options.first; budget > 0 ? elapsed() < budget : sums.seeds < options.seeds;
       ++seed) {
    Report report = run(seed);
    if (sums.seeds < options.again && run(seed).trace != report.trace)
      report.findings.push_back({"a seed replays exactly", "the second run had other packets"});
    sums.add(report);
    if (!report.findings.empty()) tell(seed, report, options);
    std::fflush(stdout);
    if (options.first_failure && sums.failed > 0) break;
  }
  std::printf("%ju seeds, %ju failed, %.1f s: %ju packets, %ju transfers, %ju blocks sent again; attempts of "
              "clients: %ju complete, %ju "
              "told why not, %ju gave up, %ju left\n",
              static_cast<std::uintmax_t>(sums.seeds), static_cast<std::uintmax_t>(sums.failed), elapsed(),
              static_cast<std::uintmax_t>(sums.packets), static_cast<std::uintmax_t>(sums.transfers),
              static_cast<std::uintmax_t>(sums.resends), static_cast<std::uintmax_t>(sums.complete),
              static_cast<std::uintmax_t>(sums.told), static_cast<std::uintmax_t>(sums.gave_up),
              static_cast<std::uintmax_t>(sums.left));
  return sums.failed == 0 ? 0 : 1;
}

int run_one(std::uint64_t seed, const Options& options) {
  if (options.trace) Trace::switch_on();
  const Report report = run(seed);
  std::printf("seed %ju: %s; %ju packets, trace %016jx\n", static_cast<std::uintmax_t>(seed),
              report.summary.c_str(), static_cast<std::uintmax_t>(report.packets),
              static_cast<std::uintmax_t>(report.trace));
  if (!report.findings.empty()) tell(seed, report, options);
  return report.findings.empty() ? 0 : 1;
}

}  // namespace

namespace {

constexpr const char* usage = R"(usage: tests/sim/run [OPTION..]

  --seeds N         how many seeds to run (2000)
  --first N         the first of them (1)
  --minutes N       as many as there is time for; so is --hours N
  --seed N          this one alone; with --trace everything that happens
  --again N         run so many of the first seeds twice and compare, packet by packet (20)
  --first-failure   stop at the first seed that fails
  --commit TEXT     what is simulated, for the report
)";

Options parsed(int argc, char** argv) {
  static constexpr option known[] = {
      {"seeds", required_argument, nullptr, 's'},   {"first", required_argument, nullptr, 'f'},
      {"minutes", required_argument, nullptr, 'm'}, {"hours", required_argument, nullptr, 'h'},
      {"seed", required_argument, nullptr, 'o'},    {"trace", no_argument, nullptr, 't'},
      {"again", required_argument, nullptr, 'a'},   {"first-failure", no_argument, nullptr, 'x'},
      {"commit", required_argument, nullptr, 'c'},  {nullptr, 0, nullptr, 0}};
  Options options;
  for (int given = 0; (given = ::getopt_long(argc, argv, "", known, nullptr)) >= 0;) {
    switch (given) {
    case 's': options.seeds = std::stoull(optarg); break;
    case 'f': options.first = std::stoull(optarg); break;
    case 'm': options.minutes = std::stod(optarg); break;
    case 'h': options.hours = std::stod(optarg); break;
    case 'o': options.seed = std::stoull(optarg); break;
    case 't': options.trace = true; break;
    case 'a': options.again = std::stoull(optarg); break;
    case 'x': options.first_failure = true; break;
    case 'c': options.commit = optarg; break;
    default: throw std::invalid_argument{"unknown option"};
    }
  }
  if (optind < argc) throw std::invalid_argument{argv[optind]};
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  try {
    options = parsed(argc, argv);
  } catch (const std::logic_error& error) {
    std::fprintf(stderr, "sim: not understood: %s\n%s", error.what(), usage);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // pipes of plugins that the server closes early
  const std::uint64_t first = options.seed.value_or(options.first);
  std::printf("sim: commit %s, first seed %ju\n", options.commit.c_str(), static_cast<std::uintmax_t>(first));
  (void)run(0);  // what is allocated once and for ever is there now
  return options.seed ? run_one(*options.seed, options) : run_all(options);
}
