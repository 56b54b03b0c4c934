// The images that the operator has: which file is which version for which model, and in which steps a device
// may go from one version to another.
#pragma once

#include "config/glob.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::firmware {

struct Image {
  std::string model;
  std::string version;
  std::string file;
  std::string sha256;                 // 64 digits in lower case
  std::optional<std::uint64_t> size;  // bytes
  std::string place;                  // where the catalogue says so: "rules.json: /catalogue/3"
};

// "From below 12.2 go to 12.2 first."
struct Step {
  config::Glob model;
  std::string below;
  std::string via;
  std::string place{};  // "rules.json: /upgrades/0"
};

class Catalogue {
 public:
  std::vector<Image> images;
  std::vector<Step> steps;

  // nullptr: there is none.
  [[nodiscard]] const Image* find(std::string_view model, std::string_view version) const noexcept;
  [[nodiscard]] const Image* by_file(std::string_view file) const noexcept;
  // The version to go to first on the way from `installed` to `wanted`; nullptr when the way is free, or when
  // nothing is known to be installed.
  [[nodiscard]] const Step* step_before(std::string_view model, std::string_view installed,
                                        std::string_view wanted) const;
};

}  // namespace tftpkit::firmware
