// The descriptor. Nothing of Python is touched before the first create(): scanning asks for no more than
// this.
#include "python.hpp"
#include "schema.hpp"
#include "transfer.hpp"

namespace tftpkit::python {
namespace {

// As the layer's own, and tells the script how it ended. Every answer of this plugin has a Transfer.
void close(void* instance, void* transfer, const tftpkit_outcome* outcome) noexcept {
  const std::unique_ptr<Transfer> ended(static_cast<Transfer*>(static_cast<border::Transfer*>(transfer)));
  try {
    ended->end(*outcome);
  } catch (const std::exception& error) {
    static_cast<Python*>(instance)->host().log(Level::error, error.what());
  }
}

constexpr About about = {.name = "python",
                         .version = "1.0.0",
                         .summary = "Runs a Python file as a plugin, also handlers written for fbtftp",
                         .license = "MIT",
                         .execution = Execution::parallel,
                         .settings_schema = settings_schema};

constexpr tftpkit_plugin make_descriptor() {
  tftpkit_plugin plugin = border::descriptor<Python>(about);
  plugin.close = close;
  plugin.cancel = nullptr;  // nobody can make Python's code return: it asks request.cancelled itself
  return plugin;
}

constexpr tftpkit_plugin the_descriptor = make_descriptor();

}  // namespace
}  // namespace tftpkit::python

TFTPKIT_EXPORT_PLUGIN(tftpkit::python::the_descriptor)
