/* Answers every name with one line; the smallest plugin in C. */
#include <tftpkit/plugin.h>

static tftpkit_status hello(void* self, const tftpkit_request* request, tftpkit_source* source) {
  (void)self;
  (void)request;
  return tftpkit_answer_text(source, "Hello from C!\n");
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD, .name = "hello-c",
                                      .version = "1.0",    .summary = "Says hello to any name",
                                      .license = "MIT",    .open_read = hello};
TFTPKIT_EXPORT_PLUGIN(plugin)
