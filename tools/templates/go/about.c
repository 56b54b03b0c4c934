/* What @NAME@ says about itself. It is C, so that the server can ask for it without waiting for anything of Go. */
#include <tftpkit/plugin.h>

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {\"greeting\": {\"type\": \"string\", \"default\": \"Hello from @NAME@!\","
    " \"description\": \"what hello.txt says\"}}}";

const tftpkit_plugin tftpkit_about = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_PARALLEL,
                                      .name = "@NAME@",
                                      .version = "0.1",
                                      .summary = "Says hello",
                                      .settings_schema = schema};
