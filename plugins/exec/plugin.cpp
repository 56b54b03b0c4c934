// What the plugin says about itself; its functions are those of class Exec.
#include "exec/exec.hpp"
#include "exec/schema.hpp"

using tftpkit::exec::Exec;

// Inline: all that open() does is to put the request into a queue.
TFTPKIT_PLUGIN_CLASS(Exec, {.name = "exec",
                            .version = "1.0.0",
                            .summary = "Answers with what a program prints",
                            .license = "MIT",
                            .execution = tftpkit::Execution::inline_,
                            .settings_schema = tftpkit::exec::settings_schema})
