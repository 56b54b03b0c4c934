/* The border between <tftpkit/plugin.h> and Go. The entry and the descriptor are C: the server asks for them without
 * starting anything of Go. */
#include <tftpkit/plugin.h>

#include <stdlib.h>

#include "_cgo_export.h"

typedef struct {
  const tftpkit_host *host;
  uintptr_t number; /* of the instance in Go */
} instance;

static tftpkit_status create(const tftpkit_host *host, void **self) {
  instance *made = calloc(1, sizeof *made);
  tftpkit_status status;
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->host = host;
  status = goCreate((tftpkit_host *)host, &made->number);
  if (status != TFTPKIT_OK) {
    free(made);
    return status;
  }
  *self = made;
  return TFTPKIT_OK;
}

static void destroy(void *self) {
  goDestroy(((instance *)self)->number);
  free(self);
}

static tftpkit_status open_read(void *self, const tftpkit_request *request, tftpkit_source *source) {
  const instance *made = self;
  void *data = NULL;
  size_t size = 0;
  tftpkit_status status =
      goOpen((tftpkit_host *)made->host, made->number, (char *)request->path.ptr, request->path.len, &data, &size);
  if (status != TFTPKIT_OK) return status;
  return tftpkit_answer_buffer(source, data, size, data);
}

static void close_transfer(void *self, void *transfer, const tftpkit_outcome *outcome) {
  (void)self;
  (void)outcome;
  free(transfer);
}

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {\"greeting\": {\"type\": \"string\", \"default\": \"Hello from @NAME@!\","
    " \"description\": \"what hello.txt says\"}}}";

static const tftpkit_plugin plugin = {TFTPKIT_PLUGIN_HEAD,
                                      .execution = TFTPKIT_EXEC_PARALLEL,
                                      .name = "@NAME@",
                                      .version = "0.1",
                                      .summary = "Says hello",
                                      .settings_schema = schema,
                                      .create = create,
                                      .destroy = destroy,
                                      .open_read = open_read,
                                      .close = close_transfer};
TFTPKIT_EXPORT_PLUGIN(plugin)
