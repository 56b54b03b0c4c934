// Requests of devices of thirteen kinds, and what each has to get: data in fleet/, one check for each.
#include "fleet.hpp"
#include "wire/path.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <sstream>
#include <variant>

namespace firmware_test {
namespace {

using nlohmann::json;

std::filesystem::path fleet_folder() {
  const char* folder = std::getenv("FIRMWARE_FLEET");
  REQUIRE_MESSAGE(folder != nullptr, "FIRMWARE_FLEET names the folder tests/unit/firmware/fleet");
  return folder;
}

World the_fleet() {
  std::set<std::string> files;
  std::istringstream lines(text_of(fleet_folder() / "files.txt"));
  for (std::string line; std::getline(lines, line);)
    files.insert(line);
  return world(text_of(fleet_folder() / "rules.json"), text_of(fleet_folder() / "inventory.csv"), files);
}

std::string action_text(fw::Decision::Kind kind) {
  switch (kind) {
  case fw::Decision::Kind::file: return "file";
  case fw::Decision::Kind::text: return "template";
  case fw::Decision::Kind::refuse: return "error";
  case fw::Decision::Kind::decline: return "pass";
  case fw::Decision::Kind::store: return "accept-write";
  }
  return "?";
}

// What a client would get, in the words of cases.json. The host cleans names before a plugin sees them.
json answer_to(const World& fleet, const json& one) {
  const auto clean = tftpkit::wire::clean_path(one["name"].get<std::string>());
  if (const auto* reject = std::get_if<tftpkit::wire::Reject>(&clean))
    return {{"action", "error"}, {"code", static_cast<int>(reject->code)}};
  fw::Question asked = question(std::get<std::string>(clean), one["peer"]);
  if (one.contains("neigh")) asked.neighbour = tftpkit::kit::mac_from(one["neigh"].get<std::string>());
  const bool write = one.value("op", "RRQ") == "WRQ";
  const fw::Decision decision =
      write ? fw::decided_upload(*fleet.rules, fleet.inventory, asked) : fleet.decide(asked);
  json answer{{"action", action_text(decision.kind)}, {"rule", decision.rule}};
  if (decision.kind == fw::Decision::Kind::refuse) answer["code"] = decision.refusal.code;
  if (!decision.path.empty()) answer["path"] = decision.path;
  if (!decision.channel.empty()) answer["chan"] = decision.channel;
  if (!decision.profile.empty()) answer["profile"] = decision.profile;
  return answer;
}

}  // namespace

TEST_CASE("every device of the fleet gets what is due to it") {
  const World fleet = the_fleet();
  const json cases = json::parse(text_of(fleet_folder() / "cases.json"));
  CHECK(cases.size() >= 70);
  for (const json& one : cases) {
    CAPTURE(one["id"].get<std::string>());
    CAPTURE(one["name"].get<std::string>());
    const json answer = answer_to(fleet, one);
    CAPTURE(answer.dump());
    for (const auto& [key, value] : one["expect"].items())
      CHECK_MESSAGE(answer.value(key, json()) == value, key);
  }
}

}  // namespace firmware_test
