#include "templates.hpp"

#include "built_in.hpp"
#include "config/nearest.hpp"
#include "config/text_file.hpp"
#include "pattern.hpp"

#include <algorithm>
#include <system_error>

namespace tftpkit::pxe {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest = 1U << 20U;
constexpr std::string_view suffix = ".mustache";

struct Known {
  const char* name;
  Syntax syntax;
  std::string_view text;
};
constexpr Known known[] = {{"syslinux", Syntax::syslinux, built_in_syslinux},
                           {"extlinux", Syntax::extlinux, built_in_extlinux},
                           {"grub", Syntax::grub, built_in_grub},
                           {"ipxe", Syntax::ipxe, built_in_ipxe},
                           {"ipxe-boot", Syntax::ipxe, built_in_ipxe_boot}};

template <Syntax syntax>
std::string escape_for(const std::string& text) {
  return argument(syntax, text);
}

std::string (*escape_of(Syntax syntax))(const std::string&) {
  switch (syntax) {
  case Syntax::syslinux: return escape_for<Syntax::syslinux>;
  case Syntax::extlinux: return escape_for<Syntax::extlinux>;
  case Syntax::grub: return escape_for<Syntax::grub>;
  case Syntax::ipxe: break;
  }
  return escape_for<Syntax::ipxe>;
}

const std::vector<std::string>& prepared_names() {
  static const std::vector<std::string> names = {
      "note",   "title",   "timeout", "timeout_tenths", "timeout_ms",  "default", "several", "ui",
      "serial", "unit",    "speed",   "password",       "entries",     "label",   "chosen",  "kernel",
      "args",   "initrds", "initrd",  "initrd_name",    "initrd_file", "fdtdir",  "chain",   "local"};
  return names;
}

// NAME.mustache -> text, of every file in the directory.
std::map<std::string, std::string> texts_in(const fs::path& directory, config::Problems& problems) {
  std::map<std::string, std::string> texts;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& file = entry->path();
    if (file.extension() != suffix || file.filename().string().starts_with('.')) continue;
    config::Report report(file.string());
    if (auto text = config::text_of_file(file, largest, report))
      texts[file.stem().string()] = std::move(*text);
    for (config::Problem& problem : report.take())
      problems.push_back(std::move(problem));
  }
  if (error)
    problems.push_back({directory.string(), "", "the directory cannot be read: " + error.message(),
                        "make it, or leave \"templates\" out of the settings"});
  return texts;
}

}  // namespace

config::Checked<Templates> Templates::load(const std::optional<fs::path>& directory) {
  config::Problems problems;
  const auto texts = directory ? texts_in(*directory, problems) : std::map<std::string, std::string>();
  const auto partial = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = texts.find(std::string(name));
    return found == texts.end() ? std::nullopt : std::optional(found->second);
  };
  Templates templates;
  for (const Known& one : known) {
    const auto own = texts.find(one.name);
    config::Report report(own == texts.end() ? std::string(one.name)
                                             : (*directory / (one.name + std::string(suffix))).string());
    auto made =
        kit::Template::from(own == texts.end() ? one.text : own->second,
                            {escape_of(one.syntax), value_names(), prepared_names(), partial}, report);
    if (made) templates.by_name_.emplace(one.name, std::move(*made));
    for (config::Problem& problem : report.take())
      problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return problems;
  return templates;
}

const kit::Template& Templates::menu(Syntax syntax) const {
  switch (syntax) {
  case Syntax::syslinux: return by_name_.at("syslinux");
  case Syntax::extlinux: return by_name_.at("extlinux");
  case Syntax::grub: return by_name_.at("grub");
  case Syntax::ipxe: break;
  }
  return by_name_.at("ipxe");
}

}  // namespace tftpkit::pxe
