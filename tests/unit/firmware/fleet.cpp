#include "fleet.hpp"

#include "firmware/read_time.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

namespace firmware_test {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE_MESSAGE(in, file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

fw::Stock World::stock() const {
  const auto there = [this](const std::string& path) { return files.contains(path); };
  return {there, there};
}

fw::Decision World::decide(const fw::Question& question, fw::Trace* trace) const {
  return fw::decided(*rules, inventory, stock(), question, trace);
}

fw::Decision World::ask(const std::string& name, const std::string& peer) const {
  return decide(question(name, peer));
}

fw::Question question(const std::string& name, const std::string& peer) {
  fw::Question asked;
  asked.name = name;
  asked.peer = tftpkit::kit::ip_from(peer);
  asked.time = fw::moment_from("2026-11-25T12:00:00Z").value();
  return asked;
}

World world(const std::string& rules, const std::string& inventory, std::set<std::string> files) {
  const test_support::Scratch folder;
  folder.file("rules.json", rules);
  tftpkit::config::Report report("inventory.csv");
  World made;
  made.inventory = fw::Inventory::from_csv(inventory, report);
  REQUIRE_MESSAGE(report.empty(), tftpkit::config::text(report.take()));
  const auto read = fw::read_rules(folder.path("rules.json"), {made.inventory.more_columns(), true});
  REQUIRE_MESSAGE(read, tftpkit::config::text(read.problems()));
  made.rules = *read;
  made.files = std::move(files);
  return made;
}

std::string complaints(const std::string& rules, const fw::Surroundings& surroundings) {
  const test_support::Scratch folder;
  folder.file("rules.json", rules);
  const auto read = fw::read_rules(folder.path("rules.json"), surroundings);
  if (read) return "";
  std::string text = tftpkit::config::text(read.problems());
  const std::string directory = folder.path().string() + "/";
  for (std::size_t at = text.find(directory); at != std::string::npos; at = text.find(directory))
    text.erase(at, directory.size());
  return text;
}

}  // namespace firmware_test
