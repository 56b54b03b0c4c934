#include "pattern.hpp"

namespace tftpkit::pxe {
namespace {

std::string as_it_is(const std::string& text) {
  return text;
}

}  // namespace

const std::vector<std::string>& value_names() {
  static const std::vector<std::string> names = {"name",  "hostname", "mac",    "mac_dashes", "mac_plain",
                                                 "uuid",  "ip",       "ip_hex", "server",     "profile",
                                                 "group", "arch",     "tags",   "values.",    "tag."};
  return names;
}

Pattern::Pattern(const std::string& text, const std::string& pointer, config::Report& report) : text_(text) {
  if (text.find("{{") == std::string::npos) return;
  config::Report own("");
  auto made = kit::Template::from(text, {as_it_is, value_names(), {}, {}}, own);
  for (config::Problem& problem : own.take())
    report.add(pointer, {problem.what + " (at " + problem.pointer + " of the text)", problem.hint});
  if (made) template_ = std::make_shared<const kit::Template>(std::move(*made));
}

}  // namespace tftpkit::pxe
