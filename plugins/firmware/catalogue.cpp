#include "firmware/catalogue.hpp"

#include "firmware/version.hpp"

#include <algorithm>

namespace tftpkit::firmware {

const Image* Catalogue::find(std::string_view model, std::string_view version) const noexcept {
  const auto at = std::find_if(images.begin(), images.end(), [&](const Image& image) {
    return image.model == model && image.version == version;
  });
  return at == images.end() ? nullptr : &*at;
}

const Image* Catalogue::by_file(std::string_view file) const noexcept {
  const auto at =
      std::find_if(images.begin(), images.end(), [&](const Image& image) { return image.file == file; });
  return at == images.end() ? nullptr : &*at;
}

const Step* Catalogue::step_before(std::string_view model, std::string_view installed,
                                   std::string_view wanted) const {
  if (installed.empty()) return nullptr;
  const Step* first = nullptr;
  for (const Step& step : steps) {
    const bool binds = step.model.matches(model) && std::is_lt(compare_versions(installed, step.below)) &&
                       std::is_lt(compare_versions(step.via, wanted)) &&
                       std::is_lt(compare_versions(installed, step.via));
    // Of several steps on the way the lowest comes first.
    if (binds && (first == nullptr || std::is_lt(compare_versions(step.via, first->via)))) first = &step;
  }
  return first;
}

}  // namespace tftpkit::firmware
