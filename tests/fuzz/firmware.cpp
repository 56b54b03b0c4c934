// The rules and the inventory of plugin firmware with names that devices ask for: rules that are accepted
// decide about any name, and never for a path outside. Input: rules (JSON), inventory (CSV), names a line
// each, with "%%" on a line between.
#include "firmware/decide.hpp"
#include "firmware/fleet.hpp"
#include "firmware/read_rules.hpp"
#include "firmware/read_time.hpp"
#include "firmware/record.hpp"
#include "firmware/summary.hpp"
#include "input.hpp"
#include "memory_file.hpp"

#include <optional>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;
namespace fw = firmware;

void check(const config::Problems& problems) {
  for (const auto& problem : problems)
    claim(!problem.what.empty() && fuzz::is_plain_line(config::text(problem)), "a problem is one plain line");
}

fw::Question question(const std::string& name) {
  fw::Question asked;
  asked.name = name;
  asked.peer = kit::ip_from("10.20.0.5");
  asked.neighbour = kit::mac_from("00:15:65:12:34:ab");
  asked.options = {{"blksize", "1468"}, {"tsize", "0"}};
  asked.time = fw::moment_from("2026-11-25T12:00:00Z").value();
  return asked;
}

bool stays_below(const std::string& path) {
  return !path.starts_with('/') && ("/" + path + "/").find("/../") == std::string::npos;
}

void check(const fw::Decision& made) {
  using Kind = fw::Decision::Kind;
  if (made.kind == Kind::file || made.kind == Kind::store)
    claim(fw::is_clean_path(made.path) && stays_below(made.path), "a path that is given out is clean");
  if (made.kind == Kind::refuse)
    claim(made.refusal.code <= 4 || made.refusal.code == 8, "a refusal has a code of TFTP");
  if (made.kind != Kind::refuse) claim(!made.rule.empty(), "what is given is given by a rule");
  if (!made.sha256.empty()) claim(made.sha256.size() == 64, "a hash is whole");
  fw::Given given;
  given.time = question("").time;
  given.device = made.identity.text();
  given.name = made.path;
  given.rule = made.rule;
  given.version = made.version;
  given.outcome = "delivered";
  const auto line = fw::line_of(given);
  claim(fuzz::is_plain_line(line), "the record has one line for each");
  const auto again = fw::given_from(line);
  claim(again && fw::line_of(*again) == line, "the record can be read");
}

void decide(const fw::RuleSet& rules, const fw::Inventory& inventory, std::string_view names) {
  const fw::Stock all{[](const std::string&) { return true; }, [](const std::string&) { return true; }};
  const fw::Stock nothing{[](const std::string&) { return false; }, [](const std::string&) { return false; }};
  for (int i = 0; i < 8 && !names.empty(); ++i) {
    const std::string name(names.substr(0, names.find('\n')));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (!fw::is_clean_path(name)) continue;  // the server gives no others
    fw::Trace trace;
    check(fw::decided(rules, inventory, all, question(name), &trace));
    check(fw::decided(rules, inventory, nothing, question(name)));
    check(fw::decided_upload(rules, inventory, question(name)));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile file;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  file.holds(parts[0]);
  config::Report report("inventory.csv");
  const auto inventory = fw::Inventory::from_csv(parts[1], report);
  check(report.take());
  const auto rules = fw::read_rules(file.path(), {inventory.more_columns(), true});
  if (!rules) {
    claim(!rules.problems().empty(), "what is refused has a reason");
    check(rules.problems());
    return 0;
  }
  decide(**rules, inventory, parts[2]);
  (void)fw::askings_of(**rules, inventory, {}, question("").time);
  return 0;
}
