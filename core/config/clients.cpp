#include "config/clients.hpp"

#include "config/nearest.hpp"
#include "config/network_text.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::config {
namespace {

constexpr unsigned many = 1'000'000;
constexpr std::size_t most_rules = 4;  // each costs a look-up for every request

NetworkLimitsConfig network_limits(const Json& value, const std::string& pointer, Report& report) {
  ObjectReader reader(value, pointer, report);
  NetworkLimitsConfig limits;
  reader.number("prefix_v4", limits.prefix_v4, {0U, 32U});
  reader.number("prefix_v6", limits.prefix_v6, {0U, 128U});
  reader.number("transfers", limits.transfers, {1U, many});
  reader.number("requests_per_second", limits.requests_per_second, {1U, many});
  limits.request_burst = 2 * limits.requests_per_second;
  reader.number("request_burst", limits.request_burst, {1U, 2 * many});
  reader.finish();
  if (!value.is_object()) return limits;
  if (reader.member("transfers") == nullptr && reader.member("requests_per_second") == nullptr)
    report.add(pointer, {"it limits nothing", "add \"transfers\" or \"requests_per_second\""});
  if (reader.member("request_burst") != nullptr && reader.member("requests_per_second") == nullptr)
    report.add(reader.pointer_of("request_burst"),
               {"a burst of what?", "add \"requests_per_second\" beside it"});
  return limits;
}

}  // namespace

void read_networks(ObjectReader& reader, const std::string& key, std::vector<std::string>& value) {
  reader.texts(key, [&](const std::string& text, const std::string& pointer) {
    if (auto complaint = network_complaint(text)) return reader.report().add(pointer, std::move(*complaint));
    value.push_back(text);
  });
}

AccessConfig read_access(const Json& value, const std::string& pointer, Report& report) {
  ObjectReader reader(value, pointer, report);
  AccessConfig access;
  read_networks(reader, "allow", access.allow);
  read_networks(reader, "deny", access.deny);
  reader.finish();
  if (const Json* allow = reader.member("allow"); allow != nullptr && allow->is_array() && allow->empty())
    report.add(reader.pointer_of("allow"),
               {"nobody could ask", "leave \"allow\" out for everybody, or name a network"});
  for (const std::string& network : access.allow)
    if (std::ranges::find(access.deny, network) != access.deny.end())
      report.add(reader.pointer_of("allow"), {in_quotes(network) + " is allowed and denied",
                                              "\"deny\" wins: leave it out of one of the two"});
  return access;
}

LimitsConfig read_limits(const Json& value, const std::string& pointer, Report& report) {
  ObjectReader reader(value, pointer, report);
  LimitsConfig limits;
  reader.number("transfers", limits.transfers, {1U, many});
  reader.number("transfers_per_client", limits.transfers_per_client, {1U, many});
  reader.size("buffer_memory", limits.buffer_memory_bytes, {1ULL << 20, 1ULL << 44});
  reader.number("requests_per_second_per_client", limits.requests_per_second_per_client, {1U, many});
  reader.number("request_burst_per_client", limits.request_burst_per_client, {1U, many});
  reader.array("per_network", [&](const Json& rule, const std::string& place) {
    limits.per_network.push_back(network_limits(rule, place, report));
  });
  reader.finish();
  if (limits.per_network.size() > most_rules)
    report.add(
        reader.pointer_of("per_network"),
        {"there are " + std::to_string(limits.per_network.size()) + " of them", "at most 4 are possible"});
  return limits;
}

}  // namespace tftpkit::config
