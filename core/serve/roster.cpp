#include "serve/roster.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

namespace tftpkit::serve {

namespace {

using config::JsonRow;

void describe(JsonRow& row, const host::Description& plugin) {
  row.emplace_back("version", plugin.version);
  row.emplace_back("abi", std::to_string(plugin.abi_major) + "." + std::to_string(plugin.abi_minor));
  row.emplace_back("execution", std::string{host::execution_text(plugin.execution)});
}

JsonRow row_of(const Offer& offer) {
  const host::Finding& finding = offer.finding;
  JsonRow row{{"name", finding.name()},
              {"state", std::string{host::text(finding.state)}},
              {"reason", finding.reason},
              {"file", finding.file.string()}};
  if (finding.description) describe(row, *finding.description);
  return row;
}

void add_serving(JsonRow& row, const RunningInstance& instance, std::uint64_t draining) {
  row.emplace_back("serving", true);
  row.emplace_back("instance", instance.config.name);
  row.emplace_back("generation", std::uint64_t{instance.generation});
  row.emplace_back("transfers", std::uint64_t{instance.served->transfers.load()});
  row.emplace_back("draining", draining);
  row.emplace_back("failure", instance.failure);
  if (instance.keeper) row.emplace_back("process", instance.keeper->state());
}

}  // namespace

void Roster::changed(const Setup* before, const Setup& now) {
  if (before == nullptr) return;
  for (const auto& old : before->instances) {
    const auto same = [&](const RunningInstance& instance) { return instance.served == old.served; };
    if (std::ranges::any_of(now.instances, same)) continue;
    retired_.push_back(
        {old.config.name, old.config.plugin, old.finding.file.string(), old.generation, old.served});
  }
}

std::uint64_t Roster::draining(const std::string& instance) const {
  std::uint64_t count = 0;
  for (const auto& old : retired_)
    if (const auto served = old.served.lock(); served && old.instance == instance)
      count += served->transfers.load();
  return count;
}

std::vector<JsonRow> Roster::rows(const Setup& now) {
  std::erase_if(retired_, [](const Retired& old) { return old.served.expired(); });
  std::vector<JsonRow> rows;
  std::set<std::string> shown;
  for (const auto& offer : now.offers) {
    bool serves = false;
    for (const auto& instance : now.instances) {
      if (instance.finding.file != offer.finding.file) continue;
      serves = true;
      shown.insert(instance.config.name);
      add_serving(rows.emplace_back(row_of(offer)), instance, draining(instance.config.name));
    }
    if (serves) continue;
    auto& row = rows.emplace_back(row_of(offer));
    row.emplace_back("serving", false);
    const auto why = offer.usable() ? now.unused.find(offer.finding.name()) : now.unused.end();
    row.emplace_back("failure", why == now.unused.end() ? "" : why->second);
  }
  for (const auto& old : retired_) {
    if (!shown.insert(old.instance).second) continue;
    rows.push_back({{"name", old.plugin},
                    {"state", std::string{"ok"}},
                    {"reason", std::string{"no new requests; running transfers end"}},
                    {"file", old.file},
                    {"serving", false},
                    {"instance", old.instance},
                    {"generation", std::uint64_t{old.generation}},
                    {"draining", draining(old.instance)}});
  }
  return rows;
}

}  // namespace tftpkit::serve
