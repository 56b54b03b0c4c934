#include "firmware/settings.hpp"

#include <string>

namespace tftpkit::firmware {
namespace {

std::string text(const Host& host, const std::string& pointer) {
  return std::string(host.setting(pointer.c_str()).value_or(""));
}

}  // namespace

Settings read_settings(const Host& host) {
  Settings settings;
  settings.rules = text(host, "/rules");
  if (settings.rules.empty())
    throw Failure(Status::option, "/rules: it is required; give the file with the rules");
  settings.inventory = text(host, "/inventory");
  settings.root = text(host, "/root");
  settings.templates = text(host, "/templates");
  settings.record = text(host, "/record");
  for (std::size_t i = 0; i < host.setting_count("/leases"); ++i)
    settings.leases.emplace_back(text(host, "/leases/" + std::to_string(i)));
  const std::string verify = text(host, "/verify");
  if (!verify.empty() && verify != "required" && verify != "never")
    throw Failure(Status::option, "/verify: \"" + verify + "\" is not known; choose from: required, never");
  settings.verify = verify != "never";
  settings.remember = std::chrono::milliseconds(host.setting_int("/remember").value_or(300'000));
  return settings;
}

}  // namespace tftpkit::firmware
