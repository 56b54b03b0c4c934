/* What the sample says about itself. It is C, so that the server can ask for it without waiting for anything
 * of Go. */
#include <tftpkit/plugin.h>

static const char schema[] = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
                             " \"greeting\": {\"type\": \"string\", \"default\": \"Hello\", \"description\": "
                             "\"what scenario/greeting says\"},"
                             " \"from\": {\"type\": \"string\", \"description\": \"the URL in front of each "
                             "name, such as http://10.0.0.1/boot/\"}}}";

const tftpkit_plugin tftpkit_about = {
    TFTPKIT_PLUGIN_HEAD,      .execution = TFTPKIT_EXEC_PARALLEL,   .name = "sample-go",
    .version = "1.0",         .summary = "What an HTTP server has", .license = "MIT",
    .settings_schema = schema};
