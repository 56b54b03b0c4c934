#include "plugin.hpp"

#include "pxe.hpp"
#include "schema.hpp"

namespace tftpkit::pxe {
namespace {

constexpr About about = {.name = "pxe",
                         .version = "1.0.0",
                         .summary = "Boot menus for each machine, made from an inventory",
                         .license = "MIT",
                         .execution = Execution::inline_,
                         .settings_schema = settings_schema};

constexpr tftpkit_plugin the_descriptor = border::descriptor<Pxe>(about);

}  // namespace

const tftpkit_plugin& descriptor() noexcept {
  return the_descriptor;
}

}  // namespace tftpkit::pxe

TFTPKIT_EXPORT_PLUGIN(tftpkit::pxe::descriptor())
