/* Built against a later minor of the ABI: a longer descriptor, an unknown flag and an execution that nobody
 * knows yet. It needs none of the new things, so it runs here. */
#include <tftpkit/plugin.h>

typedef struct {
  tftpkit_plugin now;
  void (*invented_later)(void);
  const char* more;
} later_plugin;

static void invented(void) {}

static tftpkit_status hello(void* self, const tftpkit_request* request, tftpkit_source* source) {
  (void)self;
  (void)request;
  return tftpkit_answer_text(source, "Hello from the future!\n");
}

static const later_plugin plugin = {{.struct_size = sizeof(later_plugin),
                                     .abi_version = (1u << 16) | 7u,
                                     .execution = 50,
                                     .flags = 1u << 30,
                                     .name = "from-the-future",
                                     .version = "9.0",
                                     .open_read = hello},
                                    invented,
                                    "more"};
TFTPKIT_EXPORT_PLUGIN(plugin.now)
