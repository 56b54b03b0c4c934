/* "pattern/N" and "zeros/N" as one BUFFER of N bytes, on the network thread itself. */
#include "content.h"

#include <tftpkit/plugin.h>

enum { largest = 1 << 30 };

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  uint64_t size = 0;
  int zeros = 0;
  (void)self;
  if (!parse_content(request->path.ptr, &size, &zeros)) return TFTPKIT_DECLINED;
  if (size > largest) return TFTPKIT_E_NO_SPACE;
  unsigned char* bytes = malloc((size_t)size + 1);
  if (bytes == NULL) return TFTPKIT_E_NO_SPACE;
  fill_content(bytes, 0, (size_t)size, zeros);
  return tftpkit_answer_buffer(source, bytes, (size_t)size, bytes);
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static const tftpkit_plugin plugin = {
    TFTPKIT_PLUGIN_HEAD,          .execution = TFTPKIT_EXEC_INLINE, .name = "memory",       .version = "1.0",
    .summary = "Bytes in memory", .open_read = open_read,           .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
