// What the plugin says about itself; its functions are those of class Firmware.
#include "firmware/firmware.hpp"
#include "firmware/schema.hpp"

using tftpkit::firmware::Firmware;

TFTPKIT_PLUGIN_CLASS(Firmware, {.name = "firmware",
                                .version = "1.0.0",
                                .summary = "Decides by rules which image or configuration a device gets",
                                .license = "MIT",
                                .execution = tftpkit::Execution::parallel,
                                .settings_schema = tftpkit::firmware::settings_schema})
