/* The border between <tftpkit/plugin.h> and Go. The entry and the descriptor are C: the server asks for them
 * without waiting for anything of Go. What a plugin is called is in its own `const tftpkit_plugin
 * tftpkit_about`. */
#include "border.h"

#include "_cgo_export.h"

#include <unistd.h>

typedef struct {
  const tftpkit_host* host;
  uintptr_t number; /* of the instance in Go */
} instance;

/* What belongs to a transfer: memory, or a reader in Go. */
typedef struct {
  void* memory;
  uintptr_t reader;
} transfer;

tftpkit_str tftpkit_go_setting(const tftpkit_host* host, const char* pointer) {
  tftpkit_str value = {NULL, 0};
  host->setting(host, pointer, &value);
  return value;
}

int32_t tftpkit_go_setting_int(const tftpkit_host* host, const char* pointer, int64_t* value) {
  return host->setting_int(host, pointer, value);
}

size_t tftpkit_go_setting_count(const tftpkit_host* host, const char* pointer) {
  return host->setting_count(host, pointer);
}

void tftpkit_go_log(const tftpkit_host* host, uint32_t level, const char* text, size_t length) {
  host->log(host, level, text, length);
}

void tftpkit_go_explain(const tftpkit_host* host, const char* text, size_t length) {
  host->explain(host, text, length);
}

int32_t tftpkit_go_cancelled(const tftpkit_host* host, uint64_t request) {
  return host->cancelled(host, request);
}

static transfer* transfer_with(void* memory, uintptr_t reader) {
  transfer* made = malloc(sizeof *made);
  if (made == NULL) abort(); /* as Go does when there is no memory */
  made->memory = memory;
  made->reader = reader;
  return made;
}

void tftpkit_go_bytes(tftpkit_source* source, void* bytes, size_t length) {
  tftpkit_answer_buffer(source, bytes, length, transfer_with(bytes, 0));
}

void tftpkit_go_redirect(tftpkit_source* source, char* path) {
  tftpkit_answer_redirect(source, path, transfer_with(path, 0));
}

void tftpkit_go_stream(tftpkit_source* source, uint64_t size, uintptr_t reader) {
  tftpkit_answer_stream(source, size, transfer_with(NULL, reader));
}

void tftpkit_go_file(tftpkit_source* source, int fd, uint64_t size) {
  tftpkit_answer_fd(source, fd, size, transfer_with(NULL, 0));
}

static void end_transfer(const tftpkit_host* host, transfer* ended) {
  if (ended->reader != 0) tftpkitGoClose((tftpkit_host*)host, ended->reader);
  free(ended->memory);
  free(ended);
}

void tftpkit_go_complete(const tftpkit_host* host, uint64_t request, tftpkit_status status,
                         tftpkit_source* source, const char* text, size_t length) {
  const int ok = status == TFTPKIT_OK;
  if (host->complete(host, request, status, ok ? source : NULL, NULL, text, length) == TFTPKIT_OK || !ok)
    return;
  if (source->fd >= 0) close(source->fd);
  end_transfer(host, source->transfer);
}

static tftpkit_status create(const tftpkit_host* host, void** self) {
  instance* made = calloc(1, sizeof *made);
  tftpkit_status status;
  if (made == NULL) return TFTPKIT_E_NO_SPACE;
  made->host = host;
  status = tftpkitGoCreate((tftpkit_host*)host, &made->number);
  if (status != TFTPKIT_OK) {
    free(made);
    return status;
  }
  *self = made;
  return TFTPKIT_OK;
}

static void destroy(void* self) {
  tftpkitGoDestroy(((instance*)self)->number);
  free(self);
}

static tftpkit_status open_read(void* self, const tftpkit_request* request, tftpkit_source* source) {
  return tftpkitGoOpen(((instance*)self)->number, (tftpkit_request*)request, source);
}

static int64_t read_next(void* self, void* mark, void* buffer, size_t capacity) {
  return tftpkitGoRead((tftpkit_host*)((instance*)self)->host, ((transfer*)mark)->reader, buffer, capacity);
}

static void close_transfer(void* self, void* mark, const tftpkit_outcome* outcome) {
  (void)outcome;
  end_transfer(((instance*)self)->host, mark);
}

/* Weak: this package is linked alone as well, when cgo looks at it. */
extern const tftpkit_plugin tftpkit_about __attribute__((__weak__));
static tftpkit_plugin descriptor;

__attribute__((__constructor__)) static void describe(void) {
  if (&tftpkit_about == NULL) return;
  descriptor = tftpkit_about;
  descriptor.create = create;
  descriptor.destroy = destroy;
  descriptor.open_read = open_read;
  descriptor.read = read_next;
  descriptor.close = close_transfer;
}

TFTPKIT_EXPORT_PLUGIN(descriptor)
