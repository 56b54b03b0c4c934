// A configuration file of anybody: it is right and within all bounds, or every complaint is one plain line.
#include "config/glob.hpp"
#include "config/json_text.hpp"
#include "config/load.hpp"
#include "config/network_text.hpp"
#include "input.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;

void check(const config::Problems& problems) {
  claim(!problems.empty(), "what is refused has a reason");
  for (const auto& problem : problems) {
    claim(!problem.what.empty(), "a problem says what it is");
    claim(fuzz::is_plain_line(config::text(problem)), "a problem is one plain line");
  }
}

void check(const config::RouteConfig& route, const config::Config& all) {
  for (const auto& pattern : route.match)
    (void)config::Glob(pattern);  // throws when it is none
  for (const auto& network : route.clients)
    claim(!config::network_complaint(network), "a network is one");
  claim(!route.to.empty(), "a route leads somewhere");
  for (const auto& to : route.to)
    claim(std::ranges::any_of(all.instances, [&](const auto& one) { return one.name == to; }),
          "a route leads to an instance");
}

void check(const config::Config& all) {
  claim(!all.listen.empty(), "a server listens");
  for (const auto& address : all.listen)
    claim(!config::listen_complaint(address), "an address to listen at is one");
  claim(all.workers <= 256, "workers have a bound");
  claim(all.protocol.blksize_max >= 8 && all.protocol.blksize_max <= 65464, "blksize_max is legal");
  claim(all.protocol.windowsize_max >= 1 && all.protocol.rollover <= 1,
        "windowsize_max and rollover are legal");
  claim(all.retry.min.count() > 0 && all.retry.initial.count() > 0, "no interval is zero");
  claim(all.executor_threads >= 1 && all.executor_threads_per_instance <= all.executor_threads,
        "an instance has not more threads than there are");
  for (const auto& directory : all.plugin_dirs)
    claim(directory.is_absolute(), "a path is absolute");
  for (const auto& instance : all.instances) {
    claim(!instance.name.empty() && instance.name.size() <= 63, "an instance has a name");
    claim(config::json_row(instance.settings).has_value(), "settings are an object");
    claim(std::ranges::count_if(all.instances, [&](const auto& one) { return one.name == instance.name; }) ==
              1,
          "no two instances have one name");
  }
  for (const auto& route : all.routes)
    check(route, all);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = config::load_text(fuzz::text_of(data, size), "tftpkit.json", "/etc");
  if (loaded)
    check(*loaded);
  else
    check(loaded.problems());
  return 0;
}
