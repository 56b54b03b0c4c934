// The templates of the answers: built in, or out of a directory.
#pragma once

#include "config/problem.hpp"
#include "kit/template.hpp"
#include "syntax.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tftpkit::pxe {

// "syslinux", "extlinux", "grub", "ipxe": menus. "ipxe-boot": the script that sends iPXE to its own.
class Templates {
 public:
  // The built-in ones, with those in `directory` (NAME.mustache) in their place.
  [[nodiscard]] static config::Checked<Templates> load(const std::optional<std::filesystem::path>& directory);

  [[nodiscard]] const kit::Template& menu(Syntax syntax) const;
  [[nodiscard]] const kit::Template& ipxe_boot() const { return by_name_.at("ipxe-boot"); }

 private:
  std::map<std::string, kit::Template> by_name_;
};

}  // namespace tftpkit::pxe
