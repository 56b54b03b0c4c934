// The host has checked the settings against the schema; what it cannot know, and what a host without schema
// check would let through, is checked here.
#include "settings.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tftpkit::pxe {
namespace {

std::optional<std::filesystem::path> path(const Host& host, const char* pointer) {
  const auto text = host.setting(pointer);
  if (!text || text->empty()) return std::nullopt;
  return std::filesystem::path(*text);
}

template <class T>
T choice(const Host& host, const std::string& pointer, T unset,
         std::initializer_list<std::pair<const char*, T>> choices) {
  const auto text = host.setting(pointer.c_str());
  if (!text) return unset;
  std::string known;
  for (const auto& [word, meaning] : choices) {
    if (*text == word) return meaning;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  throw Failure(Status::option,
                pointer + ": \"" + std::string(*text) + "\" is not known; choose from: " + known);
}

kit::LeaseFile lease_file(const Host& host, const std::string& pointer) {
  const auto file = path(host, (pointer + "/file").c_str());
  if (!file)
    throw Failure(Status::option, pointer + "/file: it is required; give the lease file of the server");
  return {*file, choice(host, pointer + "/format", kit::LeaseFormat::automatic,
                        {{"auto", kit::LeaseFormat::automatic},
                         {"dnsmasq", kit::LeaseFormat::dnsmasq},
                         {"kea", kit::LeaseFormat::kea},
                         {"isc", kit::LeaseFormat::isc}})};
}

void add_directory(Settings& settings, std::string_view text, const std::string& pointer) {
  if (text.empty()) {
    settings.at_top = true;
    return;
  }
  try {
    settings.directories.emplace_back(text);
  } catch (const std::invalid_argument& error) {
    throw Failure(Status::option,
                  pointer + ": " + error.what() + "; write for example \"\", \"grub\" or \"**\"");
  }
  if (text == "**") settings.at_top = true;
}

}  // namespace

bool Settings::serves(std::string_view directory) const {
  if (directory.empty()) return at_top;
  return std::any_of(directories.begin(), directories.end(),
                     [&](const config::Glob& glob) { return glob.matches(directory); });
}

Settings read_settings(const Host& host) {
  Settings settings;
  const auto inventory = path(host, "/inventory");
  if (!inventory)
    throw Failure(Status::option,
                  "/inventory: it is required; give the JSON file or directory with the machines");
  settings.inventory = *inventory;
  settings.state = path(host, "/state");
  settings.templates = path(host, "/templates");
  for (std::size_t i = 0; i < host.setting_count("/leases"); ++i)
    settings.leases.push_back(lease_file(host, "/leases/" + std::to_string(i)));
  settings.neighbours = host.setting_int("/neighbours").value_or(1) != 0;
  const std::size_t directories = host.setting_count("/directories");
  for (std::size_t i = 0; i < directories; ++i) {
    const std::string pointer = "/directories/" + std::to_string(i);
    add_directory(settings, host.setting(pointer.c_str()).value_or(""), pointer);
  }
  if (directories == 0) add_directory(settings, "**", "/directories");
  settings.syntax =
      choice(host, "/syntax", Choice::automatic,
             {{"auto", Choice::automatic}, {"syslinux", Choice::syslinux}, {"extlinux", Choice::extlinux}});
  settings.repeat_within = std::chrono::milliseconds(host.setting_int("/repeat_within").value_or(10'000));
  return settings;
}

}  // namespace tftpkit::pxe
