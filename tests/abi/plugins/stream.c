/* "pattern/N" and "zeros/N" as a STREAM that computes its bytes when asked, so N may be any size.
 * "unsized/..." does not tell the size; "trickle/..." gives at most 7 bytes at a time. */
#include "content.h"

#include <tftpkit/plugin.h>

typedef struct {
  uint64_t at;
  uint64_t size;
  size_t most;
  int zeros;
} reading;

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  const char* path = request->path.ptr;
  const char* rest = after(path, "unsized/");
  const int sized = rest == NULL;
  if (rest != NULL) path = rest;
  rest = after(path, "trickle/");
  if (rest != NULL) path = rest;
  reading found = {0, 0, rest != NULL ? 7 : SIZE_MAX, 0};
  (void)self;
  if (!parse_content(path, &found.size, &found.zeros)) return TFTPKIT_DECLINED;
  reading* kept = malloc(sizeof *kept);
  if (kept == NULL) return TFTPKIT_E_NO_SPACE;
  *kept = found;
  return tftpkit_answer_stream(source, sized ? found.size : TFTPKIT_SIZE_UNKNOWN, kept);
}

static int64_t read_next(void* self, void* transfer, void* buffer, size_t capacity) {
  reading* from = transfer;
  (void)self;
  const uint64_t left = from->size - from->at;
  size_t count = left < capacity ? (size_t)left : capacity;
  if (count > from->most) count = from->most;
  fill_content(buffer, from->at, count, from->zeros);
  from->at += count;
  return (int64_t)count;
}

static void close_transfer(void* self, void* transfer, const tftpkit_outcome* outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_PARALLEL,
                                      .name = "stream",
                                      .version = "1.0",
                                      .summary = "Bytes computed when read",
                                      .open_read = open_read,
                                      .read = read_next,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
